"""From a raw log to a dataset's tables: events are cleaned and put in order, users and items are numbered."""

from dataclasses import dataclass

import polars as pl

from prism_rec.data.clean import Cleaning, clean
from prism_rec.data.left_out import left_out
from prism_rec.data.numbering import describe_rows, number_ids, renumber
from prism_rec.data.odd_ids import note_on_ids
from prism_rec.data.raw_log import UNREADABLE, RawLog
from prism_rec.data.ties import note_on_ties


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a `Dataset`.

    Attributes:
        interactions: `user`, `item`, `timestamp`, and `part` if the log has it; see `Dataset`.
        users: `row`, `user_id`, given columns.
        items: `row`, `item_id`, given columns.
        known_items: all item ids of the log and of the items that came with it, in the dataset or dropped.
        read: how many interactions, users and items were read.
        dropped: how much of that was dropped, and why.
        notes: those of the log, on odd ids, and on simultaneous events.
        left_out: which users and items were dropped; see `left_out`.
    """

    interactions: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    known_items: pl.Series
    read: dict[str, int]
    dropped: dict[str, int]
    notes: tuple[str, ...]
    left_out: pl.DataFrame


def assemble(log: RawLog, cleaning: Cleaning, shortest_history: int, by_part: bool = False) -> Tables:
    """Clean a log and number its users and items, in the order in which they first appear among the events kept.

    Args:
        log: what a source returned.
        cleaning: what to drop.
        shortest_history: users with fewer events are dropped.
        by_part: whether the events of a user are in the order of the parts of a given split, then of time.

    Raises:
        InputError: no event is left, ratings are needed and missing, or no user or item is described by its table.
    """
    users, user_ids = number_ids(log.events["user_id"])
    items, item_ids = number_ids(log.events["item_id"])
    events = log.events.drop("user_id", "item_id").with_columns(user=users, item=items).with_row_index("row")
    order_by = ["part", "timestamp"] if by_part else ["timestamp"]
    events, dropped = clean(events, cleaning, shortest_history, order_by)
    tied = note_on_ties(events, item_ids) if cleaning.ties == "file" and log.time != "order" else ()
    new_users, kept_users = renumber(events, "user", first=0)
    new_items, kept_items = renumber(events, "item", first=1)
    columns = [name for name in ("timestamp", "part") if name in events.columns]
    interactions = events.select(new_users.alias("user"), new_items.alias("item"), *columns)
    users_kept, items_kept = user_ids.gather(kept_users), item_ids.gather(kept_items)
    absent = {"users": _count_absent(log.users, user_ids), "items": _count_absent(log.items, item_ids)}
    return Tables(
        interactions=interactions.sort("user", maintain_order=True),
        users=describe_rows(users_kept.alias("user_id"), log.users, first=0),
        items=describe_rows(items_kept.alias("item_id"), log.items, first=1),
        known_items=item_ids if log.items is None else pl.concat([item_ids, log.items["item_id"]]),
        read={
            "interactions": len(log.events) + log.dropped.get(UNREADABLE, 0),
            "users": len(user_ids) + absent["users"],
            "items": len(item_ids) + absent["items"],
        },
        dropped={
            **log.dropped,
            **dropped,
            **{f"{role}_without_events": count for role, count in absent.items()},
        },
        notes=(
            *log.notes,
            *note_on_ids(log.events["user_id"], user_ids),
            *note_on_ids(log.events["item_id"], item_ids),
            *tied,
        ),
        left_out=left_out(log.events, users_kept, items_kept, {"user": log.users, "item": log.items}),
    )


def _count_absent(described: pl.DataFrame | None, ids: pl.Series) -> int:
    """Return how many rows describe a user or item without an event."""
    return 0 if described is None else int(described[ids.name].is_in(ids.implode()).not_().sum())
