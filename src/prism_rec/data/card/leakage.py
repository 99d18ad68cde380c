"""Leakage: how much a model can know about what comes after a question."""

from typing import Any

import numpy as np
import numpy.typing as npt

from prism_rec.data.dataset import Dataset
from prism_rec.data.ties import mark_ties


def measure_leakage(dataset: Dataset) -> dict[str, Any]:
    """Return shares, 0 to 1, as JSON values; the share of an empty set is 0.

    Returns:
        `cold_test_targets`: share of test questions whose item has no training event, so that no id-based model can
        find it. `simultaneous`, if there are times: share of interactions whose user has another one at the same time;
        their order is that of the file, or random. `later_training`, if times are absolute and there are test
        questions: the share of all training events that are later than a test event, as `mean` and `median` over test
        events, and the share of test events with `any` such event. The model has seen these events, so trends after
        the question help it to answer.
    """
    trained = dataset.training().counts(dataset.number_of_items) > 0
    targets = dataset.queries("test").targets
    facts: dict[str, Any] = {"cold_test_targets": _share(~trained[targets])}
    if dataset.time != "order":
        facts["simultaneous"] = _share(_simultaneous(dataset))
    if dataset.time == "absolute" and len(targets):
        facts["later_training"] = _later_training(dataset)
    return facts


def _simultaneous(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Mark the interactions with a neighbour of the same user and time; they are sorted by both."""
    tied = mark_ties(*(dataset.interactions[name].to_numpy() for name in ("user", "timestamp")))
    return np.append(tied, False) | np.insert(tied, 0, False)


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
