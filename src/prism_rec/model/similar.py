"""Candidates that resemble the latest items of a history, by pictures and texts as they are, not through D numbers."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.data.bag import Bag, Table
from prism_rec.data.histories import IntArray
from prism_rec.model.lags import PACE, first_decay
from prism_rec.nn.sparse import Scattered

_CHUNK = 20_000_000
"""Numbers of the matrix of cosines that are in memory at once."""
_SAMPLE = 500
"""Items from which the usual cosine of a modality is estimated."""
_FIRST = 2.0
"""First weight of the latest item, over all modalities."""


class SimilarItems(nn.Module):
    """A term of the score: sum over lags l and modalities m of a_lm * cosine_m(l-th latest item, candidate).

    Only the k most similar items of each item count; see `nearest`. The weights a_lm are learned, the cosines are not.

    Args:
        features: one table per modality.
        neighbours: k.
        lags: L, number of latest items.
    """

    near_Nk: Tensor
    cosines_NkM: Tensor

    def __init__(self, features: Mapping[str, Table], neighbours: int, lags: int) -> None:
        super().__init__()
        near_Nk, cosines_NkM = nearest(features, neighbours)
        self.register_buffer("near_Nk", near_Nk, persistent=False)
        self.register_buffer("cosines_NkM", cosines_NkM, persistent=False)
        first_L1 = _FIRST / PACE / len(features) * first_decay(lags)[:, None]
        self.weights_LM = nn.Parameter(first_L1.expand(-1, len(features)).clone())

    @property
    def lags(self) -> int:
        """L, number of latest items whose neighbours count."""
        return len(self.weights_LM)

    def forward(self, recent_PL: Int[Tensor, "P L"]) -> Scattered:
        """Return the term of each row, and the items whose scores it is added to.

        Args:
            recent_PL: catalogue rows of the latest items, the latest first; 0 if the history is shorter.
        """
        cosines_PLkM = self.cosines_NkM[recent_PL].to(self.weights_LM.dtype)
        added_PLk = (cosines_PLkM @ (PACE * self.weights_LM)[..., None]).squeeze(-1)
        return Scattered(self.near_Nk[recent_PL].flatten(1), added_PLk.flatten(1))

    def by_lag(self) -> tuple[Tensor, Tensor]:
        """Return for each item its neighbours, [N, k], and what each lag adds to their scores, [N, L, k]."""
        return self.near_Nk, PACE * self.weights_LM @ self.cosines_NkM.float().mT


def nearest(
    features: Mapping[str, Table], neighbours: int
) -> tuple[Int[Tensor, "N k"], Float[Tensor, "N k M"]]:
    """Return the most similar items of every catalogue row, the nearest first, and their cosines per modality.

    Nearest is by the sum of the cosines, each divided by its mean among the k nearest by that modality only. If many
    items are alike in a modality, such as a category, then a high cosine says less there. An item is not its own
    neighbour. Padding has no neighbours and is none: its cosines are 0. If fewer than k items are similar at all, any
    others fill the row, with their cosines.
    """
    tables = list(features.values())
    rows = len(tables[0].present)
    neighbours = min(neighbours, rows - 1)
    near = np.zeros((rows, neighbours), np.int64)
    cosines = np.zeros((rows, neighbours, len(tables)), np.float32)
    sample = np.linspace(1, rows - 1, min(rows - 1, _SAMPLE), dtype=np.int64)
    usual = [
        max(1e-9, _without_self(table, sample).topk(neighbours).values.mean().item()) for table in tables
    ]
    chunk = max(1, _CHUNK // rows)
    for begin in range(0, rows, chunk):
        part = np.arange(begin, min(begin + chunk, rows))
        of_tables = [_without_self(table, part) for table in tables]
        scaled = torch.stack([matrix / scale for matrix, scale in zip(of_tables, usual, strict=True)])
        columns = scaled.sum(0).topk(neighbours).indices
        near[part] = columns.numpy()
        for m, matrix in enumerate(of_tables):
            cosines[part, :, m] = matrix.gather(1, columns).numpy()
    return torch.from_numpy(near), torch.from_numpy(cosines)


def _without_self(table: Table, rows: IntArray) -> Tensor:
    """Return the cosines of some rows with all; 0 of a row with itself and with padding."""
    if isinstance(table, Bag):
        cosines = torch.from_numpy((table.vectors[rows] @ table.vectors.T).toarray())
    else:
        cosines = torch.from_numpy(table.vectors[rows] @ table.vectors.T)
    cosines[torch.arange(len(rows)), torch.from_numpy(rows)] = 0
    return cosines
