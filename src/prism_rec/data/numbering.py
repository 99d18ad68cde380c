"""External ids and row numbers, in the order of first appearance."""

import polars as pl

from prism_rec.errors import DataError


def require_distinct(ids: pl.Series, where: str) -> None:
    """Refuse an id that occurs twice.

    Raises:
        DataError: names the first row that repeats an id.
    """
    repeated = ids.is_first_distinct().not_()
    if repeated.any():
        row = repeated.arg_max() or 0
        raise DataError(f"{where}, row {row + 1} repeats the id {ids[row]!r}; keep one row per id")


def number_ids(ids: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return each id's number, and the distinct ids: 0, 1, ... in the order of first appearance."""
    distinct = ids.unique(maintain_order=True)
    numbers = pl.DataFrame({"id": distinct}).with_row_index("number")
    joined = pl.DataFrame({"id": ids}).join(numbers, on="id", how="left", maintain_order="left")
    return joined["number"].cast(pl.Int64), distinct


def renumber(events: pl.DataFrame, column: str, first: int) -> tuple[pl.Series, pl.Series]:
    """Give the values of a column new numbers, in the file order of the events kept.

    Args:
        events: with `column` and `row`, the position of the event in the file.
        column: whole numbers.
        first: the first new number.

    Returns:
        The new number of every event, and the old values in the order of their new numbers.
    """
    order = events.group_by(column).agg(pl.col("row").min()).sort("row").select(column)
    numbers = order.with_row_index("number", offset=first)
    joined = events.select(column).join(numbers, on=column, how="left", maintain_order="left")
    return joined["number"].cast(pl.Int64), order[column]


def describe_rows(ids: pl.Series, given: pl.DataFrame | None, first: int) -> pl.DataFrame:
    """Return `row`, the ids, and the given columns of each id, null where an id is not described.

    Args:
        ids: external ids in row order; the series is named `user_id` or `item_id`.
        given: a column of that name, each id once, and further columns; or None.
        first: the first row's number.

    Raises:
        DataError: no id is described, so the two use different ids.
    """
    rows = ids.to_frame().with_row_index("row", offset=first).with_columns(pl.col("row").cast(pl.Int64))
    if given is None:
        return rows
    if given[ids.name].is_in(ids.implode()).not_().all():
        raise DataError(
            f"none of the {len(given)} rows that describe {ids.name}s has an id of the interactions "
            f"({given[ids.name][0]!r} against {ids[0]!r}); check the id column"
        )
    return rows.join(given, on=ids.name, how="left", maintain_order="left")
