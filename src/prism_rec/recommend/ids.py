"""External ids and their rows."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import polars as pl

from prism_rec.data.histories import IntArray
from prism_rec.errors import InputError


class Ids:
    """External ids of users or items by row, and rows by id.

    Args:
        ids: in the order of the rows.
        first_row: the row of the first id.
        what: `user` or `item`, for messages.
        why: says why an id is unknown, if that is known.
    """

    def __init__(
        self, ids: pl.Series, first_row: int, what: str, why: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self.why = why
        self.ids = ids
        self.first_row = first_row
        self.what = what
        self.row_of = {text: row for row, text in enumerate(ids, start=first_row)}

    def rows(self, wanted: Sequence[str]) -> IntArray:
        """Return the rows of ids.

        Raises:
            InputError: an id is unknown.
        """
        for text in wanted:
            if text not in self.row_of:
                raise InputError(f"{self.what} {text!r} {self._problem(text)}")
        return np.array([self.row_of[text] for text in wanted], np.int64)

    def known_rows(self, wanted: Iterable[str]) -> IntArray:
        """Return the rows of the ids that are known; the others are left out."""
        return np.array([self.row_of[text] for text in wanted if text in self.row_of], np.int64)

    def unknown(self, wanted: Iterable[str]) -> list[str]:
        """Return the ids that are unknown, in the given order."""
        return [text for text in wanted if text not in self.row_of]

    def first(self, unknown: Sequence[str]) -> str:
        """Return the first of some unknown ids for a note, with the reason if it is known."""
        why = self.why(unknown[0])
        return f"first {unknown[0]!r}" + (f", which {why}" if why else "")

    def _problem(self, text: str) -> str:
        why = self.why(text)
        return f"{why}, so the model does not know it" if why else "is unknown to the model; check its id"

    def at(self, rows: IntArray) -> pl.Series:
        """Return the ids of rows."""
        return self.ids.gather(rows - self.first_row)
