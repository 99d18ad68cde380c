"""What every source returns: events and items in file order, and the kind of their times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from prism_rec.data.feature_table import Matrix

UNREADABLE = "interactions_unreadable"
"""The reason in `RawLog.dropped` for events that could not be read."""
Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "test")
"""The parts of a split, in the order of the numbers in the column `part`."""
TimeKind = Literal["absolute", "relative", "order"]
"""`absolute`: seconds since 1970; `relative`: seconds since each user's first event; `order`: only an order."""


@dataclass(frozen=True, eq=False)
class RawLog:
    """A log in the order of its source, with checked columns; only lines that cannot be read are missing.

    Attributes:
        events: `user_id`, `item_id` (strings, unchanged), `timestamp` (whole or decimal numbers) and, if the source
            has them, `rating` (decimal, null if not given), `event` (its type, text, null if not given) and `part`
            (0, 1 or 2: `PARTS` of a given split); rows in file order.
        items: `item_id` (each once) and any further columns; None if the source has only ids.
        time: what the timestamps mean.
        unit: the unit of the timestamps: s, ms, us or ns.
        users: `user_id` (each once) and any further columns, or None.
        features: for each modality that comes with the log, matrix [R, d] and the R item ids.
        dropped: how much could not be read, and why.
        notes: one line each on the first problems, with file and line.
    """

    events: pl.DataFrame
    items: pl.DataFrame | None
    time: TimeKind
    unit: str = "s"
    users: pl.DataFrame | None = None
    features: Mapping[str, tuple[Matrix, pl.Series]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
