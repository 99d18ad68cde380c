"""Tables without a header: which column has which role, as the user says or as the values show."""

from collections.abc import Mapping, Sequence

import polars as pl

from prism_rec.data.reading import reading
from prism_rec.data.times import read_times
from prism_rec.errors import DataError

_SAMPLE = 200
_FIRST_TIME = 1e8  # 1973
_ASIN = r"^(B[0-9A-Z]{9}|\d{9}[\dX])$"
_REVIEWER = r"^A[0-9A-Z]{9,20}$"


def place_roles(
    scan: pl.LazyFrame, first_row: Sequence[str], columns: Mapping[str, str], where: str
) -> tuple[dict[str, str], list[str]]:
    """Return the column of each role, by place from 1, and notes.

    Args:
        scan: columns called 1, 2, ...
        first_row: the fields of the first line.
        columns: role to place, or to a value of the first line; empty to infer all of them.
        where: the file, for messages.

    Raises:
        DataError: a column does not exist, or the roles are not clear.
    """
    places = [str(place) for place in range(1, len(first_row) + 1)]
    if columns:
        roles = {role: _place(name, places, first_row, where) for role, name in columns.items()}
        if list(columns.values()) == list(roles.values()):
            return roles, []
        note = f"{where}: a number is in the first line, so it is read as an event; give `header` if it has the names"
        return roles, [note]
    with reading(where):
        head = scan.head(_SAMPLE).collect()
    inferred = _infer(head)
    if inferred is None:
        raise DataError(
            f"{where} has no line with the names of the columns (its first line: {', '.join(first_row):.60}); give "
            "their places in `columns`, as in user=1, item=2, timestamp=4"
        )
    listed = ", ".join(f"{role}={place}" for role, place in inferred.items())
    note = f"{where} has no line with the names of the columns; `columns` are taken to be {listed}"
    return inferred, [note]


def _place(name: str, places: Sequence[str], first_row: Sequence[str], where: str) -> str:
    if name in places:
        return name
    if list(first_row).count(name) == 1:
        return places[list(first_row).index(name)]
    raise DataError(
        f"{where} has no line with the names of the columns, and no column {name!r}; give places in `columns`, from 1 "
        f"to {len(places)}"
    )


def _infer(head: pl.DataFrame) -> dict[str, str] | None:
    """Return the roles of user, item, rating and time, or user, item and time, in this order; None for other tables.

    Amazon's file of 2018 has the item first: its ids are known by their form.
    """
    if head.width not in (3, 4) or head.select(pl.all().is_null().any()).row(0).count(True):
        return None
    names = head.columns
    if not _are_times(head[names[-1]]) or (head.width == 4 and not _are_ratings(head[names[2]])):
        return None
    user, item = names[:2]
    if head[user].str.contains(_ASIN).all() and head[item].str.contains(_REVIEWER).all():
        user, item = item, user
    rating = {"rating": names[2]} if head.width == 4 else {}
    return {"user": user, "item": item, **rating, "timestamp": names[-1]}


def _are_times(column: pl.Series) -> bool:
    try:
        times = read_times(column, "")
    except DataError:
        return False
    return bool((times.numbers.abs() >= _FIRST_TIME).all())


def _are_ratings(column: pl.Series) -> bool:
    numbers = column.cast(pl.Float64, strict=False)
    return (
        not numbers.null_count() and bool(numbers.is_between(-100, 100).all()) and numbers.n_unique() <= 101
    )
