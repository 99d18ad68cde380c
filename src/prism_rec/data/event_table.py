"""Tables with one row per event, with columns of any name, as the events of a `RawLog`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import polars as pl

from prism_rec.data.decimals import read_decimals
from prism_rec.data.frames import complete_columns, require_columns, text_ids
from prism_rec.data.item_lists import explode_lists, looks_like_list
from prism_rec.data.raw_log import PARTS, Part, RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.times import TimeUnit, read_times
from prism_rec.errors import DataError, SettingsError

_NAME_OF_TIME = re.compile(
    r"(^|_|\b)(time|date|dat|datetime|timestamp|ts|day|when|created|at)(_|\b|$)", re.IGNORECASE
)
_NAME_OF_TYPE = re.compile(r"(^|_)(event|events|event_?type|type|action|behaviou?r)$", re.IGNORECASE)
_MOST_TYPES = 20
_SAMPLE = 100
_FIRST_TIME = 1e8  # 1973


@dataclass(frozen=True, eq=False)
class EventTable:
    """The events of one table.

    Attributes:
        events: as in `RawLog`.
        time: what the timestamps mean.
        unit: the unit of the timestamps.
        notes: what was inferred and what was not read, one line each.
    """

    events: pl.DataFrame
    time: TimeKind
    unit: str = "s"
    notes: tuple[str, ...] = ()

    def with_notes(self, notes: Sequence[str]) -> "EventTable":
        """Return the table with further notes, before its own."""
        return replace(self, notes=(*notes, *self.notes))

    def as_log(self, notes: Sequence[str] = (), **others: Any) -> RawLog:
        """Return a log of these events; `others` are its further fields, and `notes` come after those of the events."""
        others = {"items": None, **others}
        return RawLog(self.events, time=self.time, unit=self.unit, notes=(*self.notes, *notes), **others)

    def of_part(self, part: Part) -> "EventTable":
        """Return the table with a column that says of which part of a given split the events are."""
        return replace(self, events=self.events.with_columns(part=pl.lit(PARTS.index(part), pl.Int8)))


def events_from(
    frame: pl.LazyFrame,
    columns: Mapping[str, str],
    time: TimeKind | None,
    where: str,
    unit: TimeUnit | None = None,
) -> EventTable:
    """Return the events of a frame.

    Args:
        frame: one row per event; only the columns of the roles are read. With a column for the role `history`, one row
            has a list of items, oldest first, and perhaps the next item in the column of items.
        columns: the frame's names for the roles, if they are not the defaults.
        time: with `order`, timestamps may be missing, and the order of the rows counts. None: absolute if there is a
            column of timestamps or only one that looks like it, else order.
        where: the file or argument, for messages.
        unit: the unit of the timestamps; see `read_times`.

    Raises:
        DataError: no rows, a missing column or id, a wrong time or rating, or an unknown kind of time.
    """
    names = complete_columns(columns)
    if time is not None and time not in get_args(TimeKind):
        raise SettingsError(
            f"there is no {time!r}; choose one of {', '.join(get_args(TimeKind))}", key="time"
        )
    with reading(where):
        found = frame.collect_schema().names()
    listed = "history" in columns or (names["history"] in found and names["item"] not in found)
    notes: list[str] = []
    if time is None and names["timestamp"] not in found and "timestamp" not in columns:
        names, notes = _choose_time(frame, names, found, where)
    roles = _roles(columns, names, found, time, listed)
    if time is None:
        time = "absolute" if "timestamp" in roles and not listed else "order"
    require_columns(found, {role: names[role] for role in roles}, where)
    _refuse_shared({role: names[role] for role in roles})
    with reading(where):
        given = frame.select(names[role] for role in roles).collect()
    if given.is_empty():
        raise DataError(f"{where} is empty; at least one interaction is needed")
    if "timestamp" not in roles:
        notes += _unread_times(frame, names, found, where)
    if not listed:
        notes += _unread_lists(frame, [name for name in found if name not in given.columns], where)
    notes += _unread_types(frame, [name for name in found if name not in given.columns], where)
    if listed:
        events, told = explode_lists(given, names, where)
        return EventTable(events, "order", "s", (*notes, *told))
    return _events_of(given, names, roles, time, where, unit, notes)


def _roles(
    columns: Mapping[str, str],
    names: Mapping[str, str],
    found: Sequence[str],
    time: TimeKind | None,
    listed: bool,
) -> list[str]:
    """Return the roles whose columns are read or must be there."""
    if listed:
        item = ["item"] if "item" in columns or names["item"] in found else []
        return ["user", "history", *item]
    roles = ["user", "item"]
    if time in ("absolute", "relative") or "timestamp" in columns or names["timestamp"] in found:
        roles.append("timestamp")
    return roles + [role for role in ("rating", "event") if role in columns or names[role] in found]


def _refuse_shared(names: Mapping[str, str]) -> None:
    for role, name in names.items():
        other = next((other for other in names if names[other] == name and other != role), None)
        if other:
            raise SettingsError(
                f"{role} and {other} have the same column {name!r}; give each its own", key="columns"
            )


def _events_of(
    given: pl.DataFrame,
    names: Mapping[str, str],
    roles: Sequence[str],
    time: TimeKind,
    where: str,
    unit: TimeUnit | None,
    notes: Sequence[str],
) -> EventTable:
    events = {
        "user_id": text_ids(given[names["user"]], where),
        "item_id": text_ids(given[names["item"]], where),
        "timestamp": pl.int_range(len(given), eager=True),
    }
    kept_unit, told = "s", tuple(notes)
    if "timestamp" in roles:
        times = read_times(given[names["timestamp"]], where, unit, time == "absolute")
        events["timestamp"], kept_unit, told = times.numbers, times.unit, (*told, *times.notes)
    if "rating" in roles:
        events["rating"] = _ratings(given[names["rating"]], where)
    if "event" in roles:
        events["event"] = _types(given[names["event"]], where)
    return EventTable(pl.DataFrame(events), time, kept_unit, told)


def _choose_time(
    frame: pl.LazyFrame, names: dict[str, str], found: Sequence[str], where: str
) -> tuple[dict[str, str], list[str]]:
    """Take the only column that looks like a time for the timestamps."""
    likely = _likely_times(frame, [name for name in found if name not in names.values()], where)
    if len(likely) != 1:
        return names, []
    note = (
        f"{where}: column {likely[0]!r} is read as the timestamp; give `columns` or `time` if that is wrong"
    )
    return names | {"timestamp": likely[0]}, [note]


def _unread_times(
    frame: pl.LazyFrame, names: Mapping[str, str], found: Sequence[str], where: str
) -> list[str]:
    likely = _likely_times(frame, [name for name in found if name not in names.values()], where)
    return [
        f"{where}: column {name!r} looks like a time and is not read, so the order of the rows counts; "
        f"to read it, add timestamp={name} to `columns`"
        for name in likely
    ]


def _unread_lists(frame: pl.LazyFrame, unread: Sequence[str], where: str) -> list[str]:
    with reading(where):
        head = frame.select(unread).head(_SAMPLE).collect() if unread else pl.DataFrame()
    return [
        f"{where}: column {column.name!r} looks like a list of items and is not read; "
        f"if it is a history, add history={column.name} to `columns`"
        for column in head.iter_columns()
        if looks_like_list(column)
    ]


def _unread_types(frame: pl.LazyFrame, unread: Sequence[str], where: str) -> list[str]:
    names = [name for name in unread if _NAME_OF_TYPE.search(name)]
    with reading(where):
        columns = [frame.select(pl.col(name).unique()).head(_MOST_TYPES + 1).collect() for name in names]
    return [
        f"{where}: column {column.name!r} looks like the type of an event ({', '.join(column.sort())}) and is not "
        f"read; to read it, add event={column.name} to `columns`, and choose types with `event_types`"
        for column in (one.to_series().drop_nulls() for one in columns)
        if column.dtype == pl.String and 1 < len(column) <= _MOST_TYPES
    ]


def _likely_times(frame: pl.LazyFrame, names: Sequence[str], where: str) -> list[str]:
    with reading(where):
        head = frame.select(names).head(_SAMPLE).collect() if names else pl.DataFrame()
    return [column.name for column in head.iter_columns() if _looks_like_time(column)]


def _looks_like_time(column: pl.Series) -> bool:
    if column.dtype in (pl.Date, pl.Datetime):
        return True
    values = column.drop_nulls()
    if not len(values) or values.dtype == pl.Boolean or isinstance(values.dtype, pl.List | pl.Struct):
        return False
    try:
        times = read_times(values, "")
    except DataError:
        return False
    if values.dtype == pl.String and values.cast(pl.Float64, strict=False).null_count() == len(values):
        return True  # dates in text
    return _NAME_OF_TIME.search(column.name) is not None and bool((times.numbers.abs() >= _FIRST_TIME).all())


def _types(types: pl.Series, where: str) -> pl.Series:
    if types.dtype.is_nested() or types.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"{where}: column {types.name!r} has the type {types.dtype}; give types of events as text"
        )
    return types.cast(pl.String)


def _ratings(ratings: pl.Series, where: str) -> pl.Series:
    if ratings.dtype in (pl.Categorical, pl.Enum):
        ratings = ratings.cast(pl.String)
    if not (ratings.dtype.is_numeric() or ratings.dtype in (pl.String, pl.Boolean, pl.Null)):
        raise DataError(
            f"{where}: column {ratings.name!r} has the type {ratings.dtype}; give ratings as numbers"
        )
    if ratings.dtype == pl.String:
        ratings = ratings.str.strip_chars()
        ratings = ratings.set(ratings == "", None)
    numbers = read_decimals(ratings)
    wrong = numbers.is_null() & ratings.is_not_null()
    if ratings.dtype.is_float():
        wrong &= ratings.is_not_nan()
    if wrong.any():
        row = wrong.arg_max() or 0
        raise DataError(f"{where}, row {row + 1}: rating {ratings[row]!r} is not a number; fix that row")
    return numbers
