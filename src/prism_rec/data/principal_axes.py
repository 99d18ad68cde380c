"""Vectors in their principal axes, whitened if wanted: a map that is found once and kept with the dataset.

With the vectors x of the items that have the modality, their mean m, and their covariance E diag(v) E', v falling:

    y = (x - m) E_k                 the first k axes
    y = (x - m) E_k diag(v_k)^-1/2  whitened: the covariance of y is 1

and y is scaled to length 1, as all vectors of a dataset are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save

from prism_rec.config import Config
from prism_rec.data.feature_table import FeatureTable
from prism_rec.errors import DamagedError, DataError
from prism_rec.files import replacing

MAPS = "feature_maps.safetensors"
"""The maps of a dataset's folder; only if there are some."""
NEGLIGIBLE = 1e-4
"""A vector that is nearer to the mean than this has no direction."""
CONSTANT = 1e-8
"""A direction whose variance is below this part of the largest is constant, and is left out."""
_ROWS = 2**14


class PrincipalAxes(Config):
    """How the vectors of every modality are changed before training."""

    axes: int | None = Field(None, ge=1, le=2**16)
    """Reduce vectors to this number of principal axes (the singular value decomposition of the centred vectors). Words
    stay as they are."""
    whiten: bool = False
    """Centre vectors, turn them to their principal axes, and scale the axes to equal variance. Words stay as they
    are."""

    def is_needed(self) -> bool:
        """Whether vectors are changed."""
        return self.whiten or self.axes is not None


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A map of the vectors of one modality.

    Attributes:
        mean: float32 [d].
        axes: float32 [d, k], scaled if the map whitens.
    """

    mean: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, name: str, table: FeatureTable, settings: PrincipalAxes) -> "FeatureMap":
        """Find the map of the items that have the modality.

        Args:
            name: the modality's name, for messages.
            table: the vectors; absent items count for nothing.
            settings: number of axes, and whether they are whitened. Constant directions are left out, so that there may
                be fewer axes than asked for.

        Raises:
            DataError: all vectors are equal.
        """
        rows = np.flatnonzero(table.present)
        mean = table.vectors[rows].mean(0, dtype=np.float64)
        covariance = np.zeros((table.width, table.width))
        for begin in range(0, len(rows), _ROWS):
            centred = table.vectors[rows[begin : begin + _ROWS]] - mean
            covariance += centred.T @ centred / len(rows)
        variances, directions = np.linalg.eigh(covariance)
        variances, directions = variances[::-1], directions[:, ::-1]
        kept = int((variances > max(CONSTANT * variances[0], np.finfo(np.float32).eps ** 2)).sum())
        if not kept:
            raise DataError(
                f"feature {name!r}: all vectors are equal; leave the feature out, or `axes` and `whiten`"
            )
        kept = min(kept, settings.axes or kept)
        axes = directions[:, :kept]
        largest = axes[np.abs(axes).argmax(0), np.arange(kept)]
        axes = axes * np.where(largest < 0, -1, 1)  # signs are arbitrary
        if settings.whiten:
            axes = axes / np.sqrt(variances[:kept])
        return cls(mean.astype(np.float32), axes.astype(np.float32))

    def apply(self, table: FeatureTable) -> FeatureTable:
        """Return mapped vectors of length 1. An absent item stays absent, and one at the mean becomes absent."""
        mapped = np.zeros((len(table.vectors), self.axes.shape[1]), np.float32)
        rows = np.flatnonzero(table.present)
        centred = table.vectors[rows] - self.mean
        centred[np.linalg.norm(centred, axis=1) < NEGLIGIBLE] = 0
        values = centred @ self.axes
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        mapped[rows] = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
        return FeatureTable(mapped, np.any(mapped, axis=1))

    def equals(self, other: "FeatureMap | None") -> bool:
        """Return whether the other is the same map."""
        return (
            other is not None
            and np.array_equal(self.mean, other.mean)
            and np.array_equal(self.axes, other.axes)
        )


def save_maps(folder: Path, maps: Mapping[str, FeatureMap]) -> None:
    """Write the maps of a dataset into its folder."""
    arrays = {f"{name}.{part}": array for name, of in maps.items() for part, array in vars(of).items()}
    with replacing(folder / MAPS) as partial:
        partial.write_bytes(save({key: np.ascontiguousarray(array) for key, array in arrays.items()}))


def load_maps(folder: Path) -> dict[str, FeatureMap]:
    """Read the maps of a dataset's folder.

    Raises:
        DamagedError: the file has not the form that `save_maps` writes.
    """
    arrays = load_file(folder / MAPS)
    names = dict.fromkeys(key.rpartition(".")[0] for key in arrays)
    try:
        return {name: FeatureMap(arrays[f"{name}.mean"], arrays[f"{name}.axes"]) for name in names}
    except KeyError as error:
        raise DamagedError(f"{folder / MAPS} was changed (no {error}); run prepare again") from None
