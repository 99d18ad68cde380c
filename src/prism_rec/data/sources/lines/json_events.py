"""Events from files with one JSON object per line: polars reads correct lines; the others are read one by one."""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl

from prism_rec.data.sources.lines.reader import LineReader
from prism_rec.data.sources.lines.records import UnreadableError, parse_json, text_id
from prism_rec.errors import DataError

_SCHEMA = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64, "rating": pl.Float64}
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
# polars turns a field that is not text into JSON of lists and objects, true, false, a decimal number, or \0 for
# half a surrogate pair. A real text of this form is kept: its chunk is read again, one line at a time.
_NOT_AS_GIVEN = r"^(\[|\{|true$|false$|-?\d+\.|$)|\x00"


@dataclass(frozen=True)
class EventFields:
    """The names of a format's fields, and the unit of its times.

    Attributes:
        user: field of the user's id.
        item: field of the item's id.
        time: field of the time of the event.
        rating: field of the rating, which a line may lack.
        unit: `s` or `ms` since 1970, or `date`: `2018-09-24` or `2018-09-24 14:27:30`, taken as UTC.
        parse: parses a line that polars cannot read.
    """

    user: str
    item: str
    time: str
    rating: str
    unit: Literal["s", "ms", "date"] = "s"
    parse: Callable[[bytes], Mapping[str, Any]] = parse_json


def read_events(reader: LineReader, fields: EventFields) -> pl.DataFrame:
    """Return the events of a file in its order: `user_id`, `item_id`, `timestamp` in `unit`, `rating`.

    A line that lacks user, item or time, or is not a JSON object, is skipped and counted by the reader. A rating
    that is not a number is null. Dates become whole seconds.

    Raises:
        DataError: no such file, cut short, too many lines skipped, or no event left.
    """
    parts = [_read_chunk(first, chunk, reader, fields) for first, chunk in reader.chunks()]
    events = pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)
    if events.is_empty():
        raise DataError(f"{reader.path} has no events; at least one line is needed")
    return events


def _read_chunk(first: int, chunk: bytes, reader: LineReader, fields: EventFields) -> pl.DataFrame:
    events = _parse_fast(chunk, fields)
    if events is not None and len(events) == chunk.count(b"\n"):
        return events
    rows = []
    for line, content in enumerate(chunk.split(b"\n"), first):
        if stripped := content.strip():
            try:
                rows.append(_parse_line(stripped, fields))
            except UnreadableError as reason:
                reader.skip(line, str(reason))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _parse_fast(chunk: bytes, fields: EventFields) -> pl.DataFrame | None:
    """Return the events of lines, or None if any of them must be read by itself.

    Where both can read a line, this and `_parse_line` give the same, so that no line depends on its neighbours.
    """
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
    if any(isinstance(record.get(name), float) for name in (fields.user, fields.item)):
        events = _parse_fast(line, fields)  # only polars tells 1e5, which is an id, from 1.5, which is none
        if events is not None:
            return events.row(0)
    time = record.get(fields.time)
    try:
        moment = _parse_date(time) if fields.unit == "date" else _parse_whole(time)
    except (ValueError, TypeError, OverflowError):
        reason = f"no {fields.time}" if time is None else f"{fields.time} is not a time: {time!r:.30}"
        raise UnreadableError(reason) from None
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
