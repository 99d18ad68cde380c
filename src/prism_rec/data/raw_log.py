"""What every source yields: events and items in file order, and what kind of time the events have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

TimeKind = Literal["absolute", "relative", "order"]
"""`absolute`: seconds since 1970; `relative`: seconds since each user's first event; `order`: rank only."""


@dataclass(frozen=True, eq=False)
class RawLog:
    """A log as its source has it, checked for form, nothing removed yet.

    Attributes:
        events: `user_id`, `item_id` (strings, exactly as given), `timestamp` (whole or decimal numbers) and,
            where the source has it, `rating` (decimal, null where not given); rows in file order.
        items: `item_id` (each once) and any further columns; None where the source has nothing but ids.
        users: `user_id` (each once) and any further columns, or None.
        time: what the timestamps mean.
        files: the files that were read.
    """

    events: pl.DataFrame
    items: pl.DataFrame | None
    time: TimeKind
    users: pl.DataFrame | None = None
    files: tuple[Path, ...] = ()
