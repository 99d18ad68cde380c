"""How much a split lets a model know of what comes later."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from prism_rec.data.dataset import Dataset


def measure_leakage(dataset: Dataset) -> dict[str, Any]:
    """Return shares, 0 to 1, as JSON values; a share of nothing is 0.

    Returns:
        `cold_test_targets`: test questions whose item has no training event, so that no id-based model can
        find it. `simultaneous`: interactions whose user has another one at the same time, the order of which
        is the file's; only where there are times. `later_training`, only where times are absolute, for the
        share of all training events that are later than a test event: its `mean` and `median` over test
        events, and the share of test events for which there is `any`. A model has seen these when it is
        asked: trends after the question help to answer it.
    """
    trained = dataset.training().counts(dataset.number_of_items) > 0
    targets = dataset.queries("test").targets
    facts: dict[str, Any] = {"cold_test_targets": _share(~trained[targets])}
    if dataset.time != "order":
        facts["simultaneous"] = _share(_simultaneous(dataset))
    if dataset.time == "absolute":
        facts["later_training"] = _later_training(dataset)
    return facts


def _simultaneous(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Mark the interactions with a neighbour of the same user and time; they are sorted by both."""
    user, time = (dataset.interactions[name].to_numpy() for name in ("user", "timestamp"))
    as_before = np.zeros(len(user) + 1, np.bool_)
    as_before[1:-1] = (user[1:] == user[:-1]) & (time[1:] == time[:-1])
    return as_before[:-1] | as_before[1:]


def _later_training(dataset: Dataset) -> dict[str, float]:
    histories, split = dataset.histories, dataset.split
    times = dataset.interactions["timestamp"].to_numpy()
    places = np.arange(len(times)) - np.repeat(histories.offsets[:-1], histories.lengths)
    in_training = np.sort(times[places < np.repeat(split.train_end, histories.lengths)])
    asked = split.test_at >= 0
    test = times[histories.offsets[:-1][asked] + split.test_at[asked]]
    later = len(in_training) - np.searchsorted(in_training, test, side="right")
    shares = later / max(1, len(in_training))
    return {"mean": float(shares.mean()), "median": float(np.median(shares)), "any": _share(later > 0)}


def _share(marked: npt.NDArray[np.bool_]) -> float:
    return float(marked.mean()) if len(marked) else 0.0
