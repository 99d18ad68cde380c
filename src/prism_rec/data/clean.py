"""Cleaning: drops low ratings, repeated pairs, and users and items with few events, and counts them."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.errors import SettingsError


class Cleaning(Config):
    """Which events to drop from a log; the steps run in the order of these settings."""

    event_types: tuple[str, ...] = ()
    """Keep events of these types only, as in the column of the role event; by default all. Repeat for more."""
    min_rating: float | None = None
    """Drop events rated lower, or without a rating; by default all are kept, and no ratings are needed."""
    duplicates: Literal["first", "last", "all"] = "first"
    """Which of a user's several events with the same item to keep: the first in time, the last, or all. If all are
    kept, seen items stay candidates in evaluation and recommendation, unless a run says `seen: remove`."""
    ties: Literal["file", "shuffle"] = "file"
    """The order of a user's events at the same time: that of the file, or a random one."""
    ties_seed: int = Field(0, ge=0, lt=2**63)
    """The seed of the random order of events at the same time."""
    core: int = Field(1, ge=1)
    """Drop users and items with fewer events, repeatedly until none is left; 1 keeps all."""


def clean(
    events: pl.DataFrame,
    cleaning: Cleaning,
    shortest_history: int = 1,
    order_by: Sequence[str] = ("timestamp",),
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Drop events as the settings say, and put each user's events in order.

    Args:
        events: `user`, `item`, `timestamp` (numbers), optionally `rating` and `event`, and `row`, the position in the
            file.
        cleaning: the settings.
        shortest_history: users with fewer events are dropped in the end.
        order_by: the columns that the events of a user are sorted by.

    Returns:
        The events kept, by user, then time, equal times in file order or shuffled; and how many events, users and
        items were dropped, by reason.

    Raises:
        SettingsError: ratings or types of events are needed and missing, or no event is left.
    """
    dropped: dict[str, int] = {}
    left = _keep_types(events, cleaning.event_types, dropped)
    left = _drop_low_ratings(left, cleaning.min_rating, dropped)
    tie = "row"
    if cleaning.ties == "shuffle":
        tie = "tie"
        left = left.with_columns(tie=np.random.default_rng(cleaning.ties_seed).permutation(len(left)))
    left = left.sort("user", *order_by, tie)
    distinct = left
    if cleaning.duplicates != "all":
        distinct = left.unique(["user", "item"], keep=cleaning.duplicates, maintain_order=True)
    dropped["interactions_repeated"] = len(left) - len(distinct)
    core = distinct.filter(k_core(distinct["user"].to_numpy(), distinct["item"].to_numpy(), cleaning.core))
    dropped |= _count_difference(distinct, core, "outside_core")
    long = core.filter(pl.len().over("user") >= shortest_history)
    dropped |= _count_difference(core, long, "in_short_histories")
    if events.is_empty():
        raise SettingsError("the log has no interactions; check the files of the source")
    if long.is_empty():
        reasons = _reasons(dropped, cleaning, shortest_history)
        raise SettingsError(
            f"none of the {len(events):,} interactions is left; dropped: {reasons}; "
            f"{_remedy(dropped, shortest_history)}"
        )
    return long, dropped


def _reasons(dropped: Mapping[str, int], cleaning: Cleaning, shortest_history: int) -> str:
    """Return how many interactions each setting dropped."""
    said = {
        "of_other_types": "of other types than `cleaning.event_types`",
        "below_min_rating": f"rated below `cleaning.min_rating` ({cleaning.min_rating})",
        "repeated": f"that repeat a pair of user and item (`cleaning.duplicates` {cleaning.duplicates})",
        "outside_core": f"of users or items with fewer than `cleaning.core` ({cleaning.core})",
        "in_short_histories": f"of users with fewer than {shortest_history}",
    }
    counts = {reason: dropped.get(f"interactions_{reason}", 0) for reason in said}
    return ", ".join(f"{count:,} {said[reason]}" for reason, count in counts.items() if count)


def _remedy(dropped: Mapping[str, int], shortest_history: int) -> str:
    """Return a fix for the step that dropped the last events."""
    if dropped["interactions_in_short_histories"]:
        return (
            f"the split needs {shortest_history} events per user; give a longer log, or use `split` temporal or lower "
            "`cleaning.core` or `cleaning.min_rating` if that is set"
        )
    if dropped["interactions_outside_core"]:
        return "lower `cleaning.core` or `cleaning.min_rating`"
    return "lower `cleaning.min_rating`, or change `cleaning.event_types`"


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


def _keep_types(events: pl.DataFrame, types: Sequence[str], dropped: dict[str, int]) -> pl.DataFrame:
    if not types:
        return events
    if "event" not in events.columns:
        raise SettingsError(
            "the interactions have no types, so `cleaning.event_types` cannot be used; give the name of the column of "
            "types in `columns` (event=NAME)"
        )
    found = events["event"].drop_nulls().unique().sort()
    unknown = next((name for name in types if name not in found), None)
    if unknown is not None:
        raise SettingsError(
            f"there is no event of the type {unknown!r} (found: {', '.join(found[:10])}); choose one of these",
            key="cleaning.event_types",
        )
    left = events.filter(pl.col("event").is_in(list(types)))
    dropped |= _count_difference(events, left, "of_other_types")
    return left


def _drop_low_ratings(
    events: pl.DataFrame, min_rating: float | None, dropped: dict[str, int]
) -> pl.DataFrame:
    if min_rating is None:
        return events
    if "rating" not in events.columns:
        raise SettingsError(
            "the interactions have no ratings, so `cleaning.min_rating` cannot be used; give the name of the rating "
            "column in `columns`"
        )
    left = events.filter(pl.col("rating").fill_null(float("-inf")) >= min_rating)
    dropped |= _count_difference(events, left, "below_min_rating")
    return left


def _count_difference(before: pl.DataFrame, after: pl.DataFrame, reason: str) -> dict[str, int]:
    return {
        f"interactions_{reason}": len(before) - len(after),
        f"users_{reason}": before["user"].n_unique() - after["user"].n_unique(),
        f"items_{reason}": before["item"].n_unique() - after["item"].n_unique(),
    }
