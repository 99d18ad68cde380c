"""External ids as row numbers, in the order in which they first appear."""

from __future__ import annotations

import polars as pl


def number_ids(ids: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return each id's number, and the distinct ids: 0, 1, ... in the order of first appearance."""
    distinct = ids.unique(maintain_order=True)
    numbers = pl.DataFrame({"id": distinct}).with_row_index("number")
    joined = pl.DataFrame({"id": ids}).join(numbers, on="id", how="left", maintain_order="left")
    return joined["number"].cast(pl.Int64), distinct


def renumber(events: pl.DataFrame, column: str, first: int) -> tuple[pl.Series, pl.Series]:
    """Give the values of a column new numbers, in the file order of the events that are left.

    Args:
        events: with `column` and `row`, an event's place in the file.
        column: whole numbers.
        first: the first new number.

    Returns:
        The new number of every event, and the old values in the order of their new numbers.
    """
    order = events.group_by(column).agg(pl.col("row").min()).sort("row").select(column)
    numbers = order.with_row_index("number", offset=first)
    joined = events.select(column).join(numbers, on=column, how="left", maintain_order="left")
    return joined["number"].cast(pl.Int64), order[column]
