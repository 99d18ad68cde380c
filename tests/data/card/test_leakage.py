import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data import Dataset, Temporal
from prism_rec.data.card.leakage import measure_leakage


def make(histories: list[list[tuple[str, int]]], **options: object) -> Dataset:
    rows = [(f"u{user}", item, time) for user, events in enumerate(histories) for item, time in events]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Dataset.from_frame(log, **options)  # type: ignore[arg-type]


def test_counts_by_hand() -> None:
    early = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    late = [("a", 10), ("c", 11), ("b", 11), ("d", 12), ("e", 13)]
    facts = measure_leakage(make([early, late]))
    # Training: a b | a c b at 1, 2, 10, 11, 11; the tests at 4 and 13 have three and none of these after them.
    assert facts["later_training"] == pytest.approx({"mean": 0.3, "median": 0.3, "any": 0.5})
    assert facts["cold_test_targets"] == 1.0
    assert facts["simultaneous"] == pytest.approx(2 / 9)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 30)), min_size=3, max_size=8),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=20)
def test_agrees_with_plain_counting(histories: list[list[tuple[str, int]]]) -> None:
    dataset = make(histories, duplicates="all")
    users = dataset.interactions.group_by("user", maintain_order=True).agg("item", "timestamp").rows()
    training = [event for _, *columns in users for event in list(zip(*columns, strict=True))[:-2]]
    shares = [np.mean([time > times[-1] for _, time in training]) for _, _, times in users]
    together = [times.count(time) > 1 for _, _, times in users for time in times]
    facts = measure_leakage(dataset)
    assert facts["later_training"]["mean"] == pytest.approx(np.mean(shares))
    assert facts["later_training"]["median"] == pytest.approx(np.median(shares))
    assert facts["later_training"]["any"] == pytest.approx(np.mean([share > 0 for share in shares]))
    assert facts["simultaneous"] == pytest.approx(np.mean(together))
    cold = [items[-1] not in {item for item, _ in training} for _, items, _ in users]
    assert facts["cold_test_targets"] == pytest.approx(np.mean(cold))


def test_a_temporal_split_has_none() -> None:
    histories = [[("a", 1), ("b", 2), ("c", 30), ("a", 40)], [("b", 3), ("a", 31), ("c", 41)]]
    facts = measure_leakage(make(histories, split=Temporal(times=(30, 40)), duplicates="all"))
    assert facts["later_training"] == {"mean": 0.0, "median": 0.0, "any": 0.0}


def test_only_what_times_allow_is_told() -> None:
    histories = [[("a", 1), ("b", 1), ("c", 2)]]
    assert set(measure_leakage(make(histories, time="relative"))) == {"cold_test_targets", "simultaneous"}
    assert set(measure_leakage(make(histories, time="order"))) == {"cold_test_targets"}
