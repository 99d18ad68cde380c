"""Cleaning: drops low ratings, repeated pairs, and users and items with few events, and counts them."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.errors import SettingsError


class Cleaning(Config):
    """What to drop from a log; the steps run in the order of these settings."""

    min_rating: float | None = None
    """Drop events rated lower, or without a rating; by default all are kept, and no ratings are needed."""
    duplicates: Literal["first", "last", "all"] = "first"
    """Which of a user's several events with the same item to keep: the first in time, the last, or all. If all are
    kept, seen items stay candidates in evaluation and recommendation, unless a run says `seen: remove`."""
    core: int = Field(1, ge=1)
    """Drop users and items with fewer events, repeatedly until none is left; 1 keeps all."""


def clean(
    events: pl.DataFrame, cleaning: Cleaning, shortest_history: int = 1
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Drop what the settings say and put each user's events in order.

    Args:
        events: `user`, `item`, `timestamp` (numbers), optionally `rating`, and `row`, the position in the file.
        cleaning: the settings.
        shortest_history: users with fewer events are dropped in the end.

    Returns:
        The events kept, by user, then time, equal times in file order; and how many were dropped, by reason.

    Raises:
        SettingsError: a rating threshold without ratings, or no event left.
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
        raise SettingsError(
            f"none of the {len(events)} interactions is left after cleaning "
            f"({', '.join(f'{reason}: {count}' for reason, count in dropped.items() if count)}); "
            "lower `cleaning.core` or `cleaning.min_rating`"
        )
    return long, dropped


def k_core(users: npt.NDArray[np.integer], items: npt.NDArray[np.integer], k: int) -> npt.NDArray[np.bool_]:
    """Mark the events whose user and item each have at least `k` marked events.

    Dropping an item may leave a user with too few events, so the step is repeated until nothing changes. The result
    is the largest such set; it does not depend on the order in which events are dropped.

    Args:
        users: [E] small whole numbers, one per event.
        items: [E] likewise.
        k: the smallest number of events; 1 marks all.
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
        raise SettingsError(
            "the interactions have no ratings, so `cleaning.min_rating` cannot be used; give the name of the rating "
            "column in `columns`"
        )
    return events.filter(pl.col("rating").fill_null(float("-inf")) >= min_rating)


def _count_difference(before: pl.DataFrame, after: pl.DataFrame, reason: str) -> dict[str, int]:
    return {
        f"interactions_{reason}": len(before) - len(after),
        f"users_{reason}": before["user"].n_unique() - after["user"].n_unique(),
        f"items_{reason}": before["item"].n_unique() - after["item"].n_unique(),
    }
