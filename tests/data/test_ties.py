import polars as pl
import pytest

from prism_rec.data import Dataset

ITEMS = [str(number) for number in (5, 30, 9, 200, 41, 7)]


def log(sort: bool) -> pl.DataFrame:
    """Users with six events each, three at each of two moments."""
    frame = pl.DataFrame({"item_id": ITEMS}).with_columns(number=pl.col("item_id").cast(pl.Int64))
    rows = frame.sort("number") if sort else frame
    moments = [1_500_000_000] * 3 + [1_600_000_000] * 3
    users = [
        rows.with_columns(user_id=pl.lit(f"u{user}"), timestamp=pl.Series(moments)) for user in range(10)
    ]
    return pl.concat(users)


def histories(dataset: Dataset) -> list[list[str]]:
    return [
        dataset.items["item_id"].gather(row - 1).to_list()
        for row in map(dataset.histories.__getitem__, range(10))
    ]


def test_events_at_one_time_stay_in_the_order_of_the_file_by_default() -> None:
    dataset = Dataset.from_frame(log(sort=False))
    assert histories(dataset) == [ITEMS] * 10
    assert dataset.notes == ()


def test_ties_sorted_by_the_number_of_the_item_are_told_and_may_be_shuffled() -> None:
    (note,) = Dataset.from_frame(log(sort=True)).notes
    assert note.startswith(
        "100% of the interactions have the time of another one of their user and are sorted by item"
    )
    shuffled = Dataset.from_frame(log(sort=True), ties="shuffle")
    assert shuffled.notes == ()
    assert len({tuple(history) for history in histories(shuffled)}) > 3
    assert histories(shuffled) == histories(Dataset.from_frame(log(sort=True), ties="shuffle"))
    for history in histories(shuffled):
        assert set(history[:3]) == {"5", "7", "9"}


def test_an_order_without_times_has_no_ties() -> None:
    assert Dataset.from_frame(log(sort=True).drop("timestamp"), time="order").notes == ()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_temporal_split_is_in_seconds_whatever_the_unit(unit: str) -> None:
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    rows = [
        (f"u{user}", str(place), (1_500_000_000 + place * 86_400) * factor)
        for user in range(3)
        for place in range(6)
    ]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    times = ["2017-07-17", "2017-07-18"]
    dataset = Dataset.from_frame(frame, split={"kind": "temporal", "times": times})
    assert (dataset.unit, dataset.split.train_end.tolist()) == (unit, [3, 3, 3])
    assert dataset.interactions["timestamp"][0] == 1_500_000_000 * factor
