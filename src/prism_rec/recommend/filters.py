"""Which items may be recommended: by ids, and by conditions on the columns of the catalogue."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from prism_rec.data.as_texts import as_texts
from prism_rec.data.dates import read_dates
from prism_rec.data.decimals import read_decimals
from prism_rec.errors import InputError
from prism_rec.inputs import values_of

BOUNDS = ("min", "max", "contains")
_SHOWN = 10
_CONDITION = re.compile(r"(?P<column>[^<>=~]+)(?P<sign><=|>=|=|~)(?P<value>.+)")
_KEYS = {"<=": "max", ">=": "min", "~": "contains"}


def matching(items: pl.DataFrame, where: Mapping[str, Any]) -> pl.Series:
    """Return for each item whether it meets every condition. An item without a value (or with nan) does not.

    Args:
        items: the catalogue.
        where: a condition for each column: a value; a list, set, array or series of values, one of which must be
            equal; or `{"min": 1, "max": 20}` for numbers and dates, and `{"contains": "Comedy"}` for texts. In a
            column of lists, one entry must meet the condition. Numbers may be given as texts.

    Raises:
        InputError: the catalogue has no such column, the condition does not suit it, or no item has any of the values.
    """
    items = items.drop("row", strict=False)  # the place in the catalogue is not a property
    meets = pl.repeat(True, len(items), dtype=pl.Boolean, eager=True)
    for name, condition in where.items():
        if name not in items.columns:
            raise InputError(f"where: items have no column {name!r} (they have: {', '.join(items.columns)})")
        column = items[name]
        if isinstance(column.dtype, pl.List | pl.Array):
            entries = column.to_frame("value").with_row_index("row").explode("value").drop_nulls()
            kept = entries.filter(_meets(entries["value"], name, condition))["row"]
            meets &= pl.int_range(len(items), eager=True).is_in(kept.cast(pl.Int64).implode())
        else:
            meets &= _meets(column, name, condition).fill_null(False)
    return meets


def read_conditions(texts: Sequence[str]) -> dict[str, Any]:
    """Return the conditions of texts such as `price<=20`, `category=Books` and `genres~Comedy`.

    If a column has several values, as in `category=Books` and `category=Films`, one of them must be equal.

    Raises:
        InputError: a text is not a condition, or two conditions of a column do not go together.
    """
    where: dict[str, Any] = {}
    for text in texts:
        parts = _CONDITION.fullmatch(text)
        if parts is None:
            raise InputError(
                f"{text!r} is not a condition; write COLUMN=VALUE, COLUMN<=VALUE, COLUMN>=VALUE or COLUMN~TEXT"
            )
        column, sign, value = parts["column"].strip(), parts["sign"], parts["value"].strip()
        found = where.setdefault(column, [] if sign == "=" else {})
        if isinstance(found, list) and sign == "=":
            found.append(value)
        elif isinstance(found, dict) and sign != "=" and _KEYS[sign] not in found:
            found[_KEYS[sign]] = value
        else:
            raise InputError(f"{text!r} does not go with the other condition on {column}; leave one out")
    return where


def _meets(column: pl.Series, name: str, condition: Any) -> pl.Series:
    if isinstance(condition, Mapping):
        return _within(column, name, condition)
    values = values_of(condition)
    if column.dtype.is_numeric():
        meets = read_decimals(column).is_in([_number(value, name) for value in values])
    else:
        meets = as_texts(column).is_in([str(value) for value in values])
    if values and column.count() and not meets.any():
        raise InputError(f"where: no item has {name} {_listed(values)} ({_found(column)})")
    return meets


def _found(column: pl.Series) -> str:
    values = (
        as_texts(column).drop_nulls().unique().sort()
        if column.dtype.is_nested()
        else column.drop_nulls().unique().sort()
    )
    more = f" and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else "; choose one of these"
    return f"found: {_listed(values[:_SHOWN].to_list())}{more}"


def _listed(values: Iterable[Any]) -> str:
    texts = (f"{str(value):.60}" for value in values)
    return ", ".join(f"'{text}'" if "," in text else text for text in texts)


def _within(column: pl.Series, name: str, condition: Mapping[str, Any]) -> pl.Series:
    unknown = [key for key in condition if key not in BOUNDS]
    if unknown or not condition:
        raise InputError(f"where: {name} has the condition {dict(condition)!r:.60}; use {', '.join(BOUNDS)}")
    meets = column.is_not_null()
    if "contains" in condition:
        wanted = str(condition["contains"]).lower()
        meets &= as_texts(column).str.to_lowercase().str.contains(wanted, literal=True)
    if "min" in condition or "max" in condition:
        places, read = _in_order(column, name)
        if "min" in condition:
            meets &= places >= read(condition["min"], name)
        if "max" in condition:
            meets &= places <= read(condition["max"], name)
    return meets


def _in_order(column: pl.Series, name: str) -> tuple[pl.Series, Callable[[Any, str], float]]:
    """Return the numbers of a column, or the seconds of its dates, and a function that reads a bound alike."""
    kind = column.dtype
    if kind in (pl.Date, pl.Datetime):
        return column.cast(pl.Datetime("us")).dt.timestamp("us") / 1_000_000, _date
    if kind.is_numeric() or kind in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        numbers = read_decimals(column)
        if numbers.count() or not column.count():
            return numbers, _number
        dates = read_dates(column.cast(pl.String))
        if dates["seconds"].count():
            return dates["seconds"] + dates["nanos"] / 1e9, _date
    raise InputError(f"where: column {name} has no numbers and no dates; use a value or `contains`")


def _date(value: Any, name: str) -> float:
    """Return the seconds of a date; a number is none, since it could be a year, days or seconds."""
    dates = read_dates(pl.Series([str(value)]))
    if dates["seconds"].null_count():
        raise InputError(
            f"where: {name} is compared with {str(value)!r:.60}, which is not a date such as 2018-09-24"
        )
    return float((dates["seconds"] + dates["nanos"] / 1e9).item())


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if number != number:
        raise InputError(f"where: {name} is compared with {value!r:.60}, which is not a number")
    return number
