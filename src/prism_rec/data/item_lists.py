"""Rows with a list of items, as session data have them: one event per item of a list."""

import json
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import polars as pl

from prism_rec.data.frames import text_ids
from prism_rec.errors import DataError

_NAME_OF_LIST = re.compile(r"(_list|_seq|_sequence|history|session_items|items)$", re.IGNORECASE)
_SEPARATORS = (",", ";", "|")


def looks_like_list(column: pl.Series) -> bool:
    """Tell whether a column seems to have several items in a row."""
    if isinstance(column.dtype, pl.List | pl.Array):
        return bool(_NAME_OF_LIST.search(column.name))
    if column.dtype != pl.String or not _NAME_OF_LIST.search(column.name):
        return False
    return bool(column.str.strip_chars().str.contains(r"[\s,;|]").any())


def explode_lists(
    given: pl.DataFrame, names: Mapping[str, str], where: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return one event per item, oldest first, with its position in the user's history as the timestamp.

    A row whose list is the beginning of another one of the same user, as in data with one row per question, adds
    nothing. Other rows of a user follow one another.

    Args:
        given: a column of users, one of lists, and perhaps one of the items that follow the lists.
        names: the columns of the roles `user`, `history` and `item`.
        where: the file or argument, for messages.

    Returns:
        `user_id`, `item_id` and `timestamp`; and notes.

    Raises:
        DataError: an id is missing, or a list cannot be read.
    """
    users = text_ids(given[names["user"]], where)
    lists = given[names["history"]]
    histories = [_items_of(value, row, where) for row, value in enumerate(lists, 1)]
    if names["item"] in given.columns:
        nexts = text_ids(given[names["item"]], where)
        histories = [[*history, item] for history, item in zip(histories, nexts, strict=True)]
    kept, repeats = _without_beginnings(users.to_list(), histories)
    rows = pl.DataFrame(
        [(user, items) for user, several in kept.items() for items in several],
        schema={"user_id": pl.String, "item_id": pl.List(pl.String)},
        orient="row",
    )
    events = rows.filter(pl.col("item_id").list.len() > 0).explode("item_id")
    if events.is_empty():
        raise DataError(f"{where} has no item in column {lists.name!r}; at least one is needed")
    text_ids(events["item_id"], where)
    notes = [f"{where}: column {lists.name!r} is read as lists of items, oldest first"]
    if repeats:
        notes.append(
            f"{where}: {repeats:,} rows repeat the beginning of another list of the same user and add nothing"
        )
    return events.with_columns(timestamp=pl.int_range(pl.len(), dtype=pl.Int64).over("user_id")), notes


def _without_beginnings(
    users: list[str], histories: list[list[str]]
) -> tuple[dict[str, list[list[str]]], int]:
    """Return each user's lists in file order, and how many were left out because another one begins with them."""
    beginnings: set[int] = set()
    repeated: set[int] = set()
    for row in sorted(range(len(users)), key=lambda row: -len(histories[row])):
        hashes = list(
            accumulate(histories[row], lambda before, item: hash((before, item)), initial=hash(users[row]))
        )
        if hashes[-1] in beginnings:
            repeated.add(row)
        beginnings.update(hashes)
    kept: dict[str, list[list[str]]] = {}
    for row, (user, history) in enumerate(zip(users, histories, strict=True)):
        if row not in repeated:
            kept.setdefault(user, []).append(history)
    return kept, len(repeated)


def _items_of(value: Any, row: int, where: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, pl.Series):
        return text_ids(value.alias("item_id"), f"{where}, row {row}").to_list()
    if not isinstance(value, str):
        raise DataError(f"{where}, row {row}: {value!r:.60} is not a list of items; give text or a list")
    text = value.strip()
    if text.startswith("["):
        return _from_brackets(text, row, where)
    separator = next((mark for mark in _SEPARATORS if mark in text), None)
    return [item.strip() for item in text.split(separator) if item.strip()]


def _from_brackets(text: str, row: int, where: str) -> list[str]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):  # as Python and numpy write lists
        return re.findall(r"[^\s,'\"\[\]]+", text)
    if not all(isinstance(item, str | int) and not isinstance(item, bool) and item != "" for item in items):
        raise DataError(f"{where}, row {row}: {text!r:.60} is not a list of ids; give texts or whole numbers")
    return list(map(str, items))
