"""Several tables of events as one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from prism_rec.data.event_table import EventTable
from prism_rec.data.times import IN_WORDS
from prism_rec.errors import DataError


def merge(tables: Sequence[EventTable], files: Sequence[Path]) -> EventTable:
    """Return the events of all tables, one table after another; a column that only some have is null in the others.

    Args:
        tables: one or more.
        files: where they are from, for messages.

    Raises:
        DataError: the tables have times of different kinds or units.
    """
    first = tables[0]
    notes = _notes(tables, files)
    if len(tables) == 1:
        return replace(first, notes=notes)
    shift, parts = 0, []
    for table, file in zip(tables, files, strict=False):
        if (table.time, table.unit) != (first.time, first.unit):
            one, other = (f"{IN_WORDS[t.unit]} ({t.time})" for t in (first, table))
            raise DataError(f"{files[0]} has times in {one}, and {file} in {other}; write them alike")
        events = table.events
        if first.time == "order":
            events = events.with_columns(pl.col("timestamp") + shift)
            shift = int(events["timestamp"].max()) + 1  # type: ignore[arg-type]
        parts.append(events)
    events = pl.concat(parts, how="diagonal_relaxed")
    return EventTable(events, first.time, first.unit, notes)


def _notes(tables: Sequence[EventTable], files: Sequence[Path]) -> tuple[str, ...]:
    """Return the notes of all tables; what several files have in common is said once.

    Files are named without their folders, because a dataset does not record where its files were.
    """
    files_of: dict[str, list[str]] = {}
    for table, file in zip(tables, files, strict=False):
        for note in table.notes:
            said = note.removeprefix(f"{file}: ").replace(str(file), file.name)
            named = [file.name] if note.startswith(f"{file}: ") else []
            files_of.setdefault(said, []).extend(named)
    return tuple(f"{_named(names)}{said}" for said, names in files_of.items())


def _named(names: Sequence[str]) -> str:
    if not names:
        return ""
    others = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"{names[0]}{others}: "
