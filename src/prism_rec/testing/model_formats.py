"""The contract of a format of exported models."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim

from prism_rec.testing.checks import HISTORIES, ITEMS, WIDTH, SettingsContract


class ModelFormatContract(SettingsContract):
    """Tests of one format: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the format.
    """

    def test_what_is_written_computes_the_same(self) -> None:
        """For batches of any size and length, whatever is at padding."""
        torch.manual_seed(0)
        encoder = _Encoder().eval()
        example = torch.ones(3, 5, dtype=torch.long), torch.full((3,), 5)
        free = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}, {0: Dim.DYNAMIC}
        program = torch.export.export(encoder, example, dynamic_shapes=free, strict=False)
        with TemporaryDirectory() as folder:
            self.config.write(program, Path(folder))
            assert {path.name for path in Path(folder).iterdir()} == set(self.config.files)
            encode = self.config.load(Path(folder))
            for histories in (HISTORIES, HISTORIES[:1], HISTORIES[1:2]):
                items, lengths = _padded(histories)
                with torch.no_grad():
                    expected = encoder(torch.from_numpy(items), torch.from_numpy(lengths))
                for one, other in zip(encode(items, lengths), expected, strict=True):
                    np.testing.assert_allclose(one, other.numpy(), rtol=1e-5, atol=1e-5)


class _Encoder(nn.Module):
    """A mean over a history, with the inputs and outputs of `HistoryEncoder`."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(ITEMS + 1, WIDTH)
        self.weights = nn.Linear(WIDTH, 3)

    def forward(self, items_BL: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        places_L = torch.arange(items_BL.shape[1])
        real_BL1 = (places_L < lengths_B[:, None])[..., None]
        mean_BD = (self.items(items_BL) * real_BL1).sum(1) / lengths_B[:, None]
        return mean_BD, mean_BD.tanh(), self.weights(mean_BD).softmax(-1)


def _padded(histories: Any) -> tuple[Any, Any]:
    lengths = np.array([len(history) for history in histories])
    items = np.full((len(histories), lengths.max()), 4)
    for row, history in enumerate(histories):
        items[row, : len(history)] = history
    return items, lengths
