"""What every source yields: events and items in file order, and what kind of time the events have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from prism_rec.data.feature_table import Matrix

TimeKind = Literal["absolute", "relative", "order"]
"""`absolute`: seconds since 1970; `relative`: seconds since each user's first event; `order`: rank only."""


@dataclass(frozen=True, eq=False)
class RawLog:
    """A log as its source has it, checked for form, nothing removed yet but lines that cannot be read.

    Attributes:
        events: `user_id`, `item_id` (strings, exactly as given), `timestamp` (whole or decimal numbers) and,
            where the source has it, `rating` (decimal, null where not given); rows in file order.
        items: `item_id` (each once) and any further columns; None where the source has nothing but ids.
        users: `user_id` (each once) and any further columns, or None.
        time: what the timestamps mean.
        files: the files that were read.
        features: for each modality that comes with the log, matrix [R, d] and the R item ids.
        dropped: how much could not be read, and why.
        notes: one line each on the first things that could not be read, with file and line.
    """

    events: pl.DataFrame
    items: pl.DataFrame | None
    time: TimeKind
    users: pl.DataFrame | None = None
    files: tuple[Path, ...] = ()
    features: Mapping[str, tuple[Matrix, pl.Series]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
