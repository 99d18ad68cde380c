"""Frames of any library, with columns of any name, as the tables of a `RawLog`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl
from narwhals.exceptions import DuplicateError

from prism_rec.data.numbering import require_distinct
from prism_rec.data.reading import first_line
from prism_rec.errors import DataError, SettingsError
from prism_rec.inputs import show

DEFAULT_COLUMNS = {
    "user": "user_id",
    "item": "item_id",
    "timestamp": "timestamp",
    "rating": "rating",
    "event": "event",
    "history": "history",
}
"""The name of the column of each role, if none is given."""
_NEEDS_PYARROW = "reading such a frame needs pyarrow; install pyarrow"
_UNREADABLE = (
    ValueError,
    TypeError,
    NotImplementedError,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)
"""Errors of pandas, pyarrow and polars for a column of a type that one of them does not have."""


def to_polars(frame: Any, where: str, needed: Collection[str] = ()) -> pl.DataFrame:
    """Return a polars, pandas or Arrow frame (or another eager one that Narwhals reads) as polars.

    Args:
        frame: any such frame.
        where: the argument, for messages.
        needed: columns that are read; if any are given, others that polars cannot hold are left out.

    Raises:
        DataError: not such a frame, a column of mixed types, or pyarrow is needed and missing.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        eager = nw.from_native(frame, eager_only=True)
    except DuplicateError as error:
        name = str(error).split("'")[1]
        raise DataError(f"{where} has the column {name!r} twice; rename one") from None
    except TypeError:
        if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
            return _arrow(frame, where)
        raise DataError(f"{where} is {show(frame)}; give a polars, pandas or Arrow frame") from None
    except ImportError:
        raise DataError(f"{where}: {_NEEDS_PYARROW}") from None
    try:
        try:
            polars_frame: pl.DataFrame = eager.to_polars()
        except _UNREADABLE:
            names = [name for name in eager.columns if name in needed or not needed]
            polars_frame = pl.concat([_column(eager, name, where) for name in names], how="horizontal")
    except ImportError:
        raise DataError(f"{where}: {_NEEDS_PYARROW}") from None
    return polars_frame


def _arrow(frame: Any, where: str) -> pl.DataFrame:
    """Return a batch, a reader of batches, or the result of a database that gives its columns as Arrow."""
    try:
        return pl.DataFrame(frame)
    except _UNREADABLE as error:
        raise DataError(f"{where} cannot be read ({first_line(error)}); give a table of Arrow") from None


def _column(frame: Any, name: str, where: str) -> pl.DataFrame:
    try:
        column: pl.DataFrame = frame.select([name]).to_polars()
    except _UNREADABLE as error:
        raise DataError(
            f"{where}: column {name!r} ({frame[name].dtype}) cannot be read ({first_line(error)}); give every value "
            "one plain type, such as text or a number"
        ) from None
    return column


def complete_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role: the names given, and the default names for the rest.

    Raises:
        SettingsError: there is no such role.
    """
    for role in columns:
        if role not in DEFAULT_COLUMNS:
            turned = (
                f"; the role comes first: {name}={role}" if (name := columns[role]) in DEFAULT_COLUMNS else ""
            )
            roles = ", ".join(DEFAULT_COLUMNS)
            raise SettingsError(f"unknown role {role!r}; the roles are {roles}{turned}", key="columns")
    return DEFAULT_COLUMNS | {role: str(name) for role, name in columns.items()}


def entities_from(frame: pl.DataFrame, id_name: str, columns: Mapping[str, str], where: str) -> pl.DataFrame:
    """Return a frame of users or items with its id column first, as text, each id once.

    Args:
        frame: one row per user or item.
        id_name: `user_id` or `item_id`.
        columns: names for roles; the id column may have the same name as in the interactions, or `id_name`.
        where: the file or argument, for messages.

    Raises:
        DataError: no rows, no id column, a missing or repeated id, or a column named `row`, which this library adds.
    """
    if frame.is_empty():
        raise DataError(f"{where} is empty; give at least one row or leave it out")
    role = id_name.removesuffix("_id")
    given_name = complete_columns(columns)[role]
    source_name = given_name if given_name in frame.columns else id_name
    if source_name not in frame.columns:
        raise DataError(
            f"{where} has no column {id_name!r} (found: {', '.join(frame.columns)}); "
            f"give its name in `columns` ({role}=NAME)"
        )
    objects = [name for name, dtype in frame.schema.items() if dtype == pl.Object]
    if objects:
        raise DataError(
            f"{where}: column {objects[0]!r} has Python objects; make them texts, or leave the column out"
        )
    ids = text_ids(frame[source_name], where).alias(id_name)
    others = _in_known_zones(frame.drop(source_name))
    for reserved in ("row", id_name):
        if reserved in others.columns:
            raise DataError(f"{where}: column {reserved!r} has a name that prism-rec uses; rename it")
    require_distinct(ids, where)
    return others.insert_column(0, ids)


def _in_known_zones(frame: pl.DataFrame) -> pl.DataFrame:
    """Return times of a zone such as +05:30, which polars writes and does not read, as the same moments in UTC."""
    return frame.with_columns(
        frame[name].cast(pl.Datetime(kind.time_unit, "UTC"))
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime) and (kind.time_zone or "").startswith(("+", "-"))
    )


def with_item_id(frame: pl.DataFrame, columns: Mapping[str, str], where: str) -> pl.DataFrame:
    """Return a frame whose column of item ids is named `item_id`.

    Args:
        frame: any columns.
        columns: `item`, the name of the column of ids; without it, and if there is no such column, it is `item_id`.
        where: the file or argument, for messages.

    Raises:
        DataError: there is neither column, or there are both.
        SettingsError: there is no such role.
    """
    name = complete_columns(columns)["item"]
    if name not in frame.columns:
        name = "item_id"
    if name not in frame.columns:
        raise DataError(
            f"{where} has no column {name!r} (found: {', '.join(frame.columns)}); give the name of the column of ids "
            "in `columns` (item=NAME)"
        )
    if name != "item_id" and "item_id" in frame.columns:
        raise DataError(f"{where}: column 'item_id' has a name that prism-rec uses; rename it")
    return frame.rename({name: "item_id"})


def require_columns(found: Sequence[str], names: Mapping[str, str], where: str) -> None:
    """Refuse a table without some of the columns; the message lists its columns.

    Args:
        found: the columns of the table.
        names: the columns that it needs, by role.
        where: the file or argument, for messages.

    Raises:
        DataError: a column is missing.
    """
    missing = [role for role, name in names.items() if name not in found]
    if missing:
        columns = ", ".join(repr(names[role]) for role in missing)
        if len(missing) == 1:
            fix = f"give the name of the {missing[0]} column in `columns`"
        else:
            fix = f"give their names in `columns`: {', '.join(f'{role}=NAME' for role in missing)}"
        s = "" if len(missing) == 1 else "s"
        raise DataError(f"{where} has no column{s} {columns} (found: {', '.join(found)}); {fix}")


def text_ids(ids: pl.Series, where: str) -> pl.Series:
    """Return ids as text: '007' stays '007', 7 becomes '7'.

    Raises:
        DataError: a missing or empty id, or ids that are neither text nor whole numbers.
    """
    if ids.dtype == pl.Null:
        ids = ids.cast(pl.String)
    whole = ids.dtype.is_integer() or (isinstance(ids.dtype, pl.Decimal) and not ids.dtype.scale)
    if not (whole or ids.dtype in (pl.String, pl.Categorical, pl.Enum)):
        raise DataError(
            f"{where}: column {ids.name!r} has the type {ids.dtype}; give ids as text or whole numbers"
        )
    text = ids.cast(pl.String)
    missing = (
        text.is_null() | (text.str.strip_chars(" \t") == "") if ids.dtype == pl.String else text.is_null()
    )
    if missing.any():
        row = missing.arg_max() or 0
        count = "1 row has none" if missing.sum() == 1 else f"{missing.sum():,} rows have none"
        raise DataError(
            f"{where}, row {row + 1}: no {ids.name}; add it or remove the row ({count}; with a header, the first is in "
            f"line {row + 2} of the file)"
        )
    return text
