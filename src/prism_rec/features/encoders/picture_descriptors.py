"""A picture encoder that needs no download: histograms of colour and of gradient direction.

The gradient part follows Dalal and Triggs (2005): 8 x 8 cells, 9 directions without sign, each cell divided
by the norm of its neighbourhood. The colour part is the histogram of Swain and Ballard (1991), over hue,
saturation and brightness, of the whole picture and of its quarters.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from prism_rec.features.encoders.encoder import Encoded, PictureEncoder, unit_rows

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 64
_CELLS = 8
_DIRECTIONS = 9
_HUES, _SATURATIONS, _BRIGHTNESSES = 8, 3, 3


class PictureDescriptorEncoder(PictureEncoder):
    """Turns pictures into unit vectors of their colours and shapes; D = 936. Objects are not recognised."""

    fingerprint = "picture-descriptors 1"
    batch_size = 64

    @staticmethod
    def prepare(picture: "Image") -> dict[str, np.ndarray]:
        """Return `pixels`, uint8 [64, 64, 6]: red, green, blue, hue, saturation, brightness."""
        from PIL.Image import Resampling

        small = picture.resize((_SIDE, _SIDE), Resampling.BOX)
        return {"pixels": np.concatenate([np.asarray(small), np.asarray(small.convert("HSV"))], axis=2)}

    def encode(self, batch: Sequence[dict[str, np.ndarray]]) -> Encoded:
        """Encode prepared pictures; a picture of one colour has no gradients, only its colour."""
        pixels = np.stack([picture["pixels"] for picture in batch]).astype(np.float32) / 255
        parts = [_gradients(pixels[..., :3].mean(axis=3)), _colours(pixels[..., 3:])]
        return Encoded(unit_rows(np.concatenate(parts, axis=1)))


def _gradients(grey: np.ndarray) -> np.ndarray:
    """Histograms of direction weighted by strength, [B, 576], of unit length or zero."""
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) % np.pi * (_DIRECTIONS / np.pi)
    nearest = np.floor(angle).astype(np.int64)
    share = angle - nearest
    cells = _cell_of_pixel(_CELLS)
    bins = cells * _DIRECTIONS
    histogram = _histogram(bins + nearest % _DIRECTIONS, strength * (1 - share), _CELLS**2 * _DIRECTIONS)
    histogram += _histogram(bins + (nearest + 1) % _DIRECTIONS, strength * share, _CELLS**2 * _DIRECTIONS)
    return unit_rows(_divide_by_neighbourhood(histogram.reshape(-1, _CELLS, _CELLS, _DIRECTIONS)))


def _divide_by_neighbourhood(cells: np.ndarray) -> np.ndarray:
    """Divide each cell [B, 8, 8, 9] by the norm of the 3 x 3 cells around it; return [B, 576]."""
    energy = np.pad((cells**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)))
    around = np.lib.stride_tricks.sliding_window_view(energy, (3, 3), axis=(1, 2)).sum(axis=(3, 4))
    flat: np.ndarray = (cells / np.sqrt(around + 0.1)[..., None]).reshape(len(cells), -1)
    return flat


def _colours(hsv: np.ndarray) -> np.ndarray:
    """Square roots of colour shares in the whole picture and its quarters, [B, 360], centred, unit length."""
    levels = np.array([_HUES, _SATURATIONS, _BRIGHTNESSES])
    hue, saturation, brightness = np.moveaxis(np.minimum(hsv * levels, levels - 1).astype(np.int64), 3, 0)
    colour = (hue * _SATURATIONS + saturation) * _BRIGHTNESSES + brightness
    kinds = int(levels.prod())
    quarters = _histogram(_cell_of_pixel(2) * kinds + colour, np.ones(colour.shape), 4 * kinds)
    whole = quarters.reshape(-1, 4, kinds).sum(axis=1)
    shares = np.sqrt(np.concatenate([whole / 4, quarters], axis=1) / (_SIDE**2 / 4))
    return unit_rows(shares - shares.mean(axis=1, keepdims=True))


def _cell_of_pixel(across: int) -> np.ndarray:
    """Return the number of the cell, counted row by row, of each pixel [64, 64]."""
    line = np.arange(_SIDE) * across // _SIDE
    return line[:, None] * across + line[None, :]


def _histogram(bins: np.ndarray, weights: np.ndarray, number: int) -> np.ndarray:
    """Sum the weights [B, 64, 64] by bin into [B, number]."""
    rows = np.arange(len(bins))[:, None, None] * number
    counts = np.bincount((rows + bins).ravel(), weights.ravel(), minlength=len(bins) * number)
    return counts.reshape(len(bins), number)
