"""Events from files of one JSON object a line: fast where lines are as they should be, exact where not."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl

from prism_rec.data.sources.chunks import read_chunks
from prism_rec.data.sources.faults import Faults
from prism_rec.data.sources.records import UnreadableError, parse_json, text_id
from prism_rec.errors import InputError

_SCHEMA = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64, "rating": pl.Float64}
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
# What polars makes of a field that holds no text: JSON of lists and objects, true, false, a decimal number,
# and \0 for half a surrogate pair. A text that merely looks so is read again, one line at a time, and kept.
_NOT_AS_GIVEN = r"^(\[|\{|true$|false$|-?\d+\.|$)|\x00"


@dataclass(frozen=True)
class EventFields:
    """The names of a format's fields, and what its times are.

    Attributes:
        user: id of the user.
        item: id of the item.
        time: when it happened.
        rating: may be missing in a line.
        unit: `s` or `ms` since 1970, or `date`, which is `2018-09-24` or `2018-09-24 14:27:30`, taken as UTC.
        parse: how a line that polars cannot read is to be read.
    """

    user: str
    item: str
    time: str
    rating: str
    unit: Literal["s", "ms", "date"] = "s"
    parse: Callable[[bytes], Mapping[str, Any]] = parse_json


def read_events(faults: Faults, fields: EventFields) -> pl.DataFrame:
    """Return the events of a file in its order: `user_id`, `item_id`, `timestamp` in `unit`, `rating`.

    A line without user, item or time, or that is no JSON object, is entered in `faults` and left out. A
    rating that is no number is null. Dates become whole seconds.

    Raises:
        InputError: no such file, cut short, too many lines left out, or none left.
    """
    parts = [_read_chunk(first, chunk, faults, fields) for first, chunk in read_chunks(faults)]
    events = pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)
    if events.is_empty():
        raise InputError(f"{faults.path} holds no events; at least one line is needed")
    return events


def _read_chunk(first: int, chunk: bytes, faults: Faults, fields: EventFields) -> pl.DataFrame:
    events = _parse_fast(chunk, fields)
    if events is not None and len(events) == chunk.count(b"\n"):
        return events
    rows = []
    for line, content in enumerate(chunk.split(b"\n"), first):
        if stripped := content.strip():
            try:
                rows.append(_parse_line(stripped, fields))
            except UnreadableError as reason:
                faults.leave_out(line, str(reason))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _parse_fast(chunk: bytes, fields: EventFields) -> pl.DataFrame | None:
    """Return the events of a chunk, or None if any line of it needs a closer look."""
    names = {
        fields.user: "user_id",
        fields.item: "item_id",
        fields.time: "timestamp",
        fields.rating: "rating",
    }
    time_type = pl.String if fields.unit == "date" else pl.Int64
    schema = {name: time_type if role == "timestamp" else _SCHEMA[role] for name, role in names.items()}
    try:
        events = pl.read_ndjson(io.BytesIO(chunk), schema=schema).rename(names).select(list(_SCHEMA))
    except pl.exceptions.PolarsError:
        return None
    if fields.unit == "date":
        dates = [pl.col("timestamp").str.to_datetime(form, strict=False) for form in _DATES]
        events = events.with_columns(pl.coalesce(dates).dt.epoch("s").alias("timestamp"))
    doubtful = pl.any_horizontal(
        pl.col("user_id", "item_id", "timestamp").is_null(),
        pl.col("user_id", "item_id").str.contains(_NOT_AS_GIVEN),
    )
    return None if events.select(doubtful.any()).item() else events


def _parse_line(line: bytes, fields: EventFields) -> tuple[str, str, int, float | None]:
    record = fields.parse(line)
    time = record.get(fields.time)
    try:
        moment = _parse_date(time) if fields.unit == "date" else _parse_whole(time)
    except (ValueError, TypeError, OverflowError):
        reason = "no" if time is None else f"{time!r:.30} is no"
        raise UnreadableError(f"{reason} {fields.time}") from None
    return text_id(record, fields.user), text_id(record, fields.item), moment, _rating(record, fields.rating)


def _parse_date(date: Any) -> int:
    moment = datetime.fromisoformat(date)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _parse_whole(number: Any) -> int:
    if isinstance(number, bool) or int(float(number)) != float(number) or abs(int(number)) >= 2**63:
        raise ValueError
    return int(number)


def _rating(record: Mapping[str, Any], name: str) -> float | None:
    try:
        rating = float(record.get(name))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return rating if math.isfinite(rating) else None
