"""What is left out of a log, and how much of it: low ratings, repeated pairs, sparse users and items."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.errors import InputError


class Cleaning(Config):
    """What to leave out; the steps run in the order of these settings.

    Attributes:
        min_rating: events rated lower, or not rated, are dropped; None keeps all and needs no ratings.
        duplicates: which of a user's several events with one item stay: `first` in time, `last` or `all`.
            Where seen items are never recommended, a repeated one can only be missed; published sets with
            repeats (Yelp) keep all.
        core: users and items with fewer events are dropped, over and over until none is left; 1 keeps all.
    """

    min_rating: float | None = None
    duplicates: Literal["first", "last", "all"] = "first"
    core: Annotated[int, Field(ge=1)] = 1


def clean(
    events: pl.DataFrame, cleaning: Cleaning, shortest_history: int = 1
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Leave out what the settings say and bring each user's events into order.

    Args:
        events: `user`, `item`, `timestamp` (numbers), perhaps `rating`, and `row`, the place in the file.
        cleaning: the settings.
        shortest_history: after all else, users with fewer events are dropped.

    Returns:
        The events left, by user, then time, equal times in file order; and how many were dropped, and why.

    Raises:
        InputError: a rating threshold without ratings, or nothing left.
    """
    dropped: dict[str, int] = {}
    left = _drop_low_ratings(events, cleaning.min_rating)
    dropped["interactions_below_min_rating"] = len(events) - len(left)
    left = left.sort("user", "timestamp", "row")
    distinct = left
    if cleaning.duplicates != "all":
        distinct = left.unique(["user", "item"], keep=cleaning.duplicates, maintain_order=True)
    dropped["interactions_repeated"] = len(left) - len(distinct)
    core = distinct.filter(k_core(distinct["user"].to_numpy(), distinct["item"].to_numpy(), cleaning.core))
    dropped |= _count_difference(distinct, core, "outside_core")
    long = core.filter(pl.len().over("user") >= shortest_history)
    dropped |= _count_difference(core, long, "in_short_histories")
    if long.is_empty():
        raise InputError(
            f"none of the {len(events)} interactions is left after cleaning "
            f"({', '.join(f'{reason}: {count}' for reason, count in dropped.items() if count)}); "
            "lower --core or --min-rating"
        )
    return long, dropped


def k_core(users: npt.NDArray[np.integer], items: npt.NDArray[np.integer], k: int) -> npt.NDArray[np.bool_]:
    """Mark the events whose user and item each have at least `k` marked events.

    Dropping an item may leave a user short and so on, hence repeated until nothing changes: the largest such
    set, which is one and the same in whatever order events are dropped.

    Args:
        users: [E] small numbers, one an event.
        items: [E] likewise.
        k: the fewest events; 1 marks all.
    """
    kept = np.ones(len(users), np.bool_)
    while True:
        user_counts = np.bincount(users[kept], minlength=1)
        item_counts = np.bincount(items[kept], minlength=1)
        enough = kept.copy()
        enough[kept] = (user_counts[users[kept]] >= k) & (item_counts[items[kept]] >= k)
        if enough.sum() == kept.sum():
            return kept
        kept = enough


def _drop_low_ratings(events: pl.DataFrame, min_rating: float | None) -> pl.DataFrame:
    if min_rating is None:
        return events
    if "rating" not in events.columns:
        raise InputError(
            "the interactions have no ratings, so --min-rating cannot be used; name the rating column"
        )
    return events.filter(pl.col("rating").fill_null(float("-inf")) >= min_rating)


def _count_difference(before: pl.DataFrame, after: pl.DataFrame, reason: str) -> dict[str, int]:
    return {
        f"interactions_{reason}": len(before) - len(after),
        f"users_{reason}": before["user"].n_unique() - after["user"].n_unique(),
        f"items_{reason}": before["item"].n_unique() - after["item"].n_unique(),
    }
