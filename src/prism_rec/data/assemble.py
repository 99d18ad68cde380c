"""From a raw log to a dataset's tables: events are cleaned and put in order, users and items are numbered."""

from dataclasses import dataclass

import polars as pl

from prism_rec.data.clean import Cleaning, clean
from prism_rec.data.numbering import describe_rows, number_ids, renumber
from prism_rec.data.raw_log import RawLog


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a `Dataset`.

    Attributes:
        interactions: `user`, `item`, `timestamp`; see `Dataset`.
        users: `row`, `user_id`, given columns.
        items: `row`, `item_id`, given columns.
        known_items: all item ids of the log and of the items that came with it, in the dataset or dropped.
        dropped: how much was dropped, and why.
    """

    interactions: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    known_items: pl.Series
    dropped: dict[str, int]


def assemble(log: RawLog, cleaning: Cleaning, shortest_history: int) -> Tables:
    """Clean a log and number its users and items, in the order in which they first appear among the events kept.

    Args:
        log: what a source returned.
        cleaning: what to drop.
        shortest_history: users with fewer events are dropped.

    Raises:
        InputError: no event is left, ratings are needed and missing, or no user or item is described by its table.
    """
    users, user_ids = number_ids(log.events["user_id"])
    items, item_ids = number_ids(log.events["item_id"])
    events = log.events.drop("user_id", "item_id").with_columns(user=users, item=items).with_row_index("row")
    events, dropped = clean(events, cleaning, shortest_history)
    new_users, kept_users = renumber(events, "user", first=0)
    new_items, kept_items = renumber(events, "item", first=1)
    interactions = events.select(new_users.alias("user"), new_items.alias("item"), "timestamp")
    return Tables(
        interactions=interactions.sort("user", maintain_order=True),
        users=describe_rows(user_ids.gather(kept_users).alias("user_id"), log.users, first=0),
        items=describe_rows(item_ids.gather(kept_items).alias("item_id"), log.items, first=1),
        known_items=item_ids if log.items is None else pl.concat([item_ids, log.items["item_id"]]),
        dropped={**log.dropped, **dropped},
    )
