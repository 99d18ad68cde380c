"""The items of a catalogue as the outside knows them: ids, titles, and which of them may be recommended."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from prism_rec.data.as_texts import as_texts
from prism_rec.data.histories import IntArray
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.inputs import ids_from
from prism_rec.recommend.filters import matching
from prism_rec.recommend.ids import Ids

TITLES = ("title", "name")
"""Columns of the catalogue that name an item to a person, in order of preference."""


class Choice(NamedTuple):
    """Which items may be recommended; see `Recommender.recommend`."""

    candidates: Iterable[str] | None = None
    exclude: Iterable[str] | None = None
    where: Mapping[str, Any] | None = None


class Items(Ids):
    """The items of a catalogue.

    Args:
        frame: `item_id` and any columns, in the order of the rows 1..N.
        why: see `Ids`.
    """

    def __init__(self, frame: pl.DataFrame, why: Callable[[str], str | None]) -> None:
        super().__init__(frame["item_id"], 1, "item", why)
        self.frame = frame
        title = next((name for name in TITLES if name in frame.columns), None)
        self.titles = None if title is None else as_texts(frame[title])

    def name(self, row: int) -> tuple[str, str | None]:
        """Return id and title of an item; None if it has no title."""
        return self.ids[row - 1], None if self.titles is None else self.titles[row - 1]

    def named(self, rows: IntArray) -> pl.DataFrame:
        """Return a frame `item_id, title` of some items; without `title` if the catalogue has none."""
        frame = pl.DataFrame({"item_id": self.at(rows)})
        return frame if self.titles is None else frame.with_columns(title=self.titles.gather(rows - 1))

    def allowed(self, choice: Choice, events: Events) -> IntArray | None:
        """Return the rows that may be recommended; None: all.

        Args:
            choice: the conditions; unknown ids are skipped.
            events: hears a note on the unknown ids.

        Raises:
            InputError: no candidate is known, or see `filters.matching`.
        """
        if choice.candidates is None and choice.exclude is None and not choice.where:
            return None
        allowed_N = np.ones(len(self.ids) + 1, bool)
        allowed_N[1:] = matching(self.frame, choice.where or {}).to_numpy()
        if choice.candidates is not None:
            rows = self._rows_of(choice.candidates, "candidates", events)
            if not len(rows):
                raise InputError("none of the candidates is known to the model; check their ids")
            allowed_N &= np.bincount(rows, minlength=len(allowed_N)) > 0
        if choice.exclude is not None:
            allowed_N[self._rows_of(choice.exclude, "excluded items", events)] = False
        return 1 + np.flatnonzero(allowed_N[1:])

    def _rows_of(self, given: Iterable[str], what: str, events: Events) -> IntArray:
        ids = ids_from(given, what)
        unknown = self.unknown(ids)
        if unknown:
            events.note(
                f"note: {len(unknown)} of {len(ids)} {what} are unknown, {self.first(unknown)}; skipped"
            )
        return self.known_rows(ids)
