"""The stored result of an evaluation: each query's rank and list, from which all metrics and tests are computed."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from prism_rec.errors import InputError
from prism_rec.files import replacing

_FIELDS = ("users", "ranks", "top")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Ranks and lists of Q queries, one row per query, in the order of the data set's queries.

    Raises:
        ValueError: the rows don't match, a rank is below 1, or a user or item row is negative.
    """

    users: Int64[np.ndarray, "Q"]
    """User row of each query."""
    ranks: Int64[np.ndarray, "Q"]
    """Place of the target among the candidates, from 1; ties by item row; `rank.NEVER` if it is not a candidate."""
    top: Int64[np.ndarray, "Q K"]
    """The best K item rows in order; 0 if no item is left."""

    def __post_init__(self) -> None:
        if not (self.users.ndim == self.ranks.ndim == 1 and self.top.ndim == 2):
            raise ValueError("users and ranks hold one number per query, top one row per query")
        if not len(self.users) == len(self.ranks) == len(self.top):
            raise ValueError("users, ranks and top must have as many rows as there are queries")
        if self.users.min(initial=0) < 0 or self.ranks.min(initial=1) < 1 or self.top.min(initial=0) < 0:
            raise ValueError("user and item rows cannot be negative, and ranks count from 1")

    def save(self, path: Path) -> None:
        """Write one compressed npz file; a reader sees the old file or the new one, never a part."""
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in _FIELDS})

    @classmethod
    def load(cls, path: Path) -> "Evaluation":
        """Read a file that `save` wrote.

        Raises:
            InputError: there is no such file, or it is damaged or something else.
        """
        try:
            content = io.BytesIO(path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; evaluate the run first") from None
        try:
            with np.load(content, allow_pickle=False) as arrays:
                return cls(**{name: arrays[name].astype(np.int64, casting="safe") for name in _FIELDS})
        except Exception:  # each part of a damaged archive fails with an exception of its own
            raise InputError(f"{path} is damaged or holds no evaluation; evaluate the run again") from None
