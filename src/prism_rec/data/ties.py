"""Events of one user at the same time: their order, and what it may give away."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

_FEWEST = 20
_SORTED = 0.95


def mark_ties(users: npt.NDArray[Any], times: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Mark the events that the next one follows at the same time; events are sorted by user, then time.

    Returns:
        One entry per event but the last.
    """
    return (users[1:] == users[:-1]) & (times[1:] == times[:-1])


def note_on_ties(events: pl.DataFrame, item_ids: pl.Series) -> tuple[str, ...]:
    """Return a note if simultaneous events are sorted by item id, as in MovieLens: their order is not that of time.

    Args:
        events: `user`, `item` (a place in `item_ids`) and `timestamp`, sorted by user, then time.
        item_ids: external ids.
    """
    tied = mark_ties(events["user"].to_numpy(), events["timestamp"].to_numpy())
    if tied.sum() < _FEWEST:
        return ()
    numbers = item_ids.cast(pl.Int64, strict=False)
    order = (item_ids if numbers.null_count() else numbers).rank("dense").to_numpy()
    ranks = order[events["item"].to_numpy()]
    rising = (ranks[1:] >= ranks[:-1])[tied].mean()
    if rising < _SORTED:
        return ()
    share = (np.append(tied, False) | np.insert(tied, 0, False)).mean()
    return (
        f"{share:.0%} of the interactions have the time of another one of their user and are sorted by item id, so "
        "that the order says nothing about what came first; `cleaning.ties` shuffle takes a random order",
    )
