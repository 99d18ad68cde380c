"""The report: what its parts are computed from."""

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.evaluation.metrics import summarise
from prism_rec.evaluation.report import report, standard_slices
from prism_rec.evaluation.results import Evaluation


@pytest.fixture
def dataset() -> Dataset:
    """Every user trains on a and b, is validated on c and tested on d; e is read a long time before by one of them."""
    histories = ["abcd", "bacd", "eabcd", "abcd"]
    rows = [(user, item, time) for user, items in enumerate(histories) for time, item in enumerate(items)]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Dataset.from_frame(log, features={"text": (np.eye(2), ["a", "d"])})


def test_popularity_counts_training_events_only(dataset: Dataset) -> None:
    for part in ("validation", "test"):
        slices = {one.name: one for one in standard_slices(dataset, part)}
        assert slices["popularity:cold"].members.all()
        assert not slices["popularity:head"].members.any()


def test_slices_are_those_of_the_part(dataset: Dataset) -> None:
    described = {
        part: {one.name: one.members.tolist() for one in standard_slices(dataset, part)}["present:text"]
        for part in ("validation", "test")
    }
    assert described == {"validation": [False] * 4, "test": [True] * 4}


def test_the_report_has_metrics_intervals_and_slices(dataset: Dataset) -> None:
    ranks = np.array([1, 2, 60, 7])
    top = np.tile(np.arange(1, 6), (4, 10))
    found = report(dataset, "test", Evaluation(np.arange(4), ranks, top), "remove")
    counts = dataset.training().counts(5)
    assert (found["part"], found["users"]) == ("test", 4)
    assert (found["seen"], found["repeated_targets"]) == ("remove", 0)
    assert found["metrics"] == summarise(ranks, top, counts, 5)
    assert found["intervals"]["recall@5"]["mean"] == found["metrics"]["recall@5"] == 0.5
    assert found["intervals"]["recall@5"]["low"] < 0.5 < found["intervals"]["recall@5"]["high"]
    assert found["slices"]["popularity:cold"]["recall@5"]["mean"] == 0.5
    assert found["slices"]["popularity:cold"]["description"] == "the target has no training events"
    assert "popularity:head" not in found["slices"]
