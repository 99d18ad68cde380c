"""Preparing a raw Amazon dump gives back the sequences that it was made from."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_rec.data import Cleaning, Dataset
from prism_rec.data.sources import Amazon2014
from prism_rec.stages.prepare import Prepare, prepare
from raw_dumps import in_days, review_2014, write_lines

BEAUTY = Path(__file__).parents[4] / "shared/data/amazon-2014-5core/Beauty.txt"


def sequences(dataset: Dataset) -> dict[str, list[str]]:
    user_ids, item_ids = dataset.users["user_id"].to_list(), dataset.items["item_id"].to_list()
    return {
        user_id: [item_ids[item - 1] for item in dataset.histories[user]]
        for user, user_id in enumerate(user_ids)
    }


@pytest.mark.slow
@pytest.mark.skipif(not BEAUTY.exists(), reason=f"{BEAUTY.name} of ../shared is not here")
def test_beauty_comes_back_exactly(tmp_path: Path) -> None:
    histories = {}
    for line in BEAUTY.read_text().splitlines():
        user, *items = line.split()
        histories[f"A{user}"] = [f"B{item:0>9}" for item in items]
    reviews = in_days(histories)
    path = write_lines(tmp_path / "reviews_Beauty_5.json.gz", map(review_2014, reviews))
    dataset = prepare(Prepare(source=Amazon2014(reviews=path), cleaning=Cleaning(core=5)), tmp_path / "data")
    assert dataset.counts() == {"users": 22_363, "items": 12_101, "interactions": 198_502}
    assert sequences(dataset) == histories
    assert dataset.users["user_id"].to_list() == list(dict.fromkeys(user for user, _, _ in reviews))
    assert dataset.items["item_id"].to_list() == list(dict.fromkeys(item for _, item, _ in reviews))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.lists(st.sampled_from(["../../x", "B0", "b0", "é", "7", "007", " "]), min_size=3, unique=True),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 10),
)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_histories_come_back_exactly(tmp_path: Path, histories: dict[str, list[str]], seed: int) -> None:
    path = write_lines(tmp_path / "reviews.json", map(review_2014, in_days(histories, seed, items_a_day=3)))
    assert sequences(prepare(Prepare(source=Amazon2014(reviews=path)), tmp_path / "data")) == histories
