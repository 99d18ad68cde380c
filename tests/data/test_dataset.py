from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data import ColdItems, Dataset, LeaveOneOut, Temporal
from prism_rec.errors import InputError

ROWS = [
    ("u2", "b", 5),
    ("u1", "c", 1),
    ("u2", "a", 3),
    ("u1", "a", 1),
    ("u1", "b", 0),
    ("u2", "c", 5),
    ("u3", "d", 4),
]
LOG = pl.DataFrame(ROWS, schema=["user_id", "item_id", "timestamp"], orient="row")
ITEMS = pl.DataFrame({"item_id": ["z", "c", "a"], "title": ["Z", "C", "A"], "year": [1, 2, 3]})


def test_numbers_by_first_appearance_and_sorts_by_user_time_and_file() -> None:
    dataset = Dataset.from_frame(LOG, items=ITEMS)
    assert dataset.users.rows() == [(0, "u2"), (1, "u1")]
    assert dataset.items.rows() == [(1, "b", None, None), (2, "c", "C", 2), (3, "a", "A", 3)]
    assert dataset.interactions.rows() == [(0, 3, 3), (0, 1, 5), (0, 2, 5), (1, 1, 0), (1, 2, 1), (1, 3, 1)]
    assert dataset.number_of_items == 3
    assert dataset.dropped["users_in_short_histories"] == dataset.dropped["items_in_short_histories"] == 1


def test_an_event_that_is_dropped_does_not_count_for_the_numbering() -> None:
    rated = LOG.with_columns(rating=pl.Series([1, 5, 5, 5, 5, 5, 5]))
    dataset = Dataset.from_frame(rated, min_rating=2, split=Temporal(times=(1, 4)))
    assert dataset.users["user_id"].to_list() == ["u1", "u2", "u3"]
    assert dataset.items["item_id"].to_list() == ["c", "a", "b", "d"]


def test_equal_times_keep_the_order_of_a_long_file() -> None:
    users = np.random.default_rng(0).integers(0, 4, 20_000)
    log = pl.DataFrame({"user_id": users, "item_id": range(20_000), "timestamp": users * 0})
    dataset = Dataset.from_frame(log)
    items = dataset.items["item_id"].cast(pl.Int64).to_numpy()
    for row, user in enumerate(dataset.users["user_id"].cast(pl.Int64)):
        np.testing.assert_array_equal(items[dataset.histories[row] - 1], np.flatnonzero(users == user))


def test_training_and_queries_follow_the_split() -> None:
    dataset = Dataset.from_frame(LOG)
    assert [row.tolist() for row in dataset.training()] == [[3], [1]]
    validation, test = dataset.queries("validation"), dataset.queries("test")
    assert [row.tolist() for row in validation.histories] == [[3], [1]]
    assert [row.tolist() for row in test.histories] == [[3, 1], [1, 2]]
    assert (validation.targets.tolist(), test.targets.tolist()) == ([1, 2], [2, 3])
    assert test.users.tolist() == [0, 1]


def test_temporal_queries_leave_out_users_without_a_target() -> None:
    dataset = Dataset.from_frame(LOG, split=Temporal(times=(1, 5)))
    assert dataset.users["user_id"].to_list() == ["u2", "u1", "u3"]
    assert [row.tolist() for row in dataset.training()] == [[], [1], []]
    assert dataset.queries("validation").users.tolist() == [1]
    assert dataset.queries("test").users.tolist() == [0]


def test_questions_about_cold_items_have_only_these_as_candidates(tmp_path: Path) -> None:
    rows = [("u1", "a", 1), ("u1", "b", 5), ("u2", "a", 2), ("u2", "c", 9), ("u1", "c", 9), ("u3", "b", 6)]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    Dataset.from_frame(log, split=ColdItems(times=(4, 8))).save(tmp_path / "data")
    dataset = Dataset.load(tmp_path / "data")
    ids = ["", *dataset.items["item_id"]]
    validation, test = dataset.queries("validation"), dataset.queries("test")
    assert validation.candidates is not None
    assert test.candidates is not None
    assert ([ids[row] for row in validation.candidates], [ids[row] for row in test.candidates]) == (
        ["b"],
        ["c"],
    )
    assert [dataset.users["user_id"][int(user)] for user in validation.users] == ["u1"]
    assert [[ids[row] for row in history] for history in test.histories] == [["a", "b"], ["a"]]
    assert test.part(1, 2).candidates is test.candidates
    assert dataset.split.counts()["test_candidates"] == 1


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 9)), min_size=3, max_size=25, unique=True
)


@given(EVENTS, st.data())
@settings(max_examples=24)
def test_only_ties_and_numbers_depend_on_the_order_of_the_file(
    events: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Distinct times: a shuffled file gives the same histories of external ids."""
    distinct = [(user, item, position) for position, (user, item, _) in enumerate(events)]
    shuffled = data.draw(st.permutations(distinct))
    histories = []
    for rows in (distinct, shuffled):
        frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
        try:
            dataset = Dataset.from_frame(frame, duplicates="all", split="leave-one-out")
        except InputError:
            histories.append(None)
            continue
        names = dataset.items["item_id"].to_numpy()
        users = dataset.users["user_id"]
        histories.append({users[u]: names[row - 1].tolist() for u, row in enumerate(dataset.histories)})
    assert histories[0] == histories[1]


@given(st.permutations(["a", "b", "c", "d"]))
@settings(max_examples=24)
@pytest.mark.slow
def test_features_are_aligned_by_id(ids: list[str]) -> None:
    vectors = {"a": [1.0, 0, 0], "b": [0, 1.0, 0], "c": [0, 0, 1.0], "d": [1.0, 1.0, 1.0]}
    dataset = Dataset.from_frame(LOG, features={"image": (np.array([vectors[item] for item in ids]), ids)})
    expected = [[0, 0, 0], *(vectors[item] for item in dataset.items["item_id"])]
    np.testing.assert_array_equal(dataset.features["image"].vectors, expected)


def test_vectors_of_dropped_items_are_no_mistake_and_unknown_ones_are() -> None:
    ids = ["a", "d", "z"]  # d was dropped with its user, z is in the items frame alone
    dataset = Dataset.from_frame(LOG, items=ITEMS, features={"text": (np.eye(3), ids)})
    assert dataset.features["text"].present.tolist() == [False, False, False, True]
    with pytest.raises(InputError, match="1 ids unknown to the data"):
        Dataset.from_frame(LOG, features={"text": (np.eye(3), ids)})
    allowed = Dataset.from_frame(LOG, features={"text": (np.eye(3), ids)}, allow_unknown_features=True)
    assert allowed.dropped["text_vectors_unknown"] == 1


def test_with_features_adds_and_replaces_and_leaves_the_dataset_alone() -> None:
    before = Dataset.from_frame(LOG, features={"text": (np.eye(3), ["a", "b", "c"])})
    after = before.with_features({"image": (np.eye(3)[:1], ["a"]), "text": (np.eye(3)[:2], ["a", "b"])})
    assert list(before.features) == ["text"]
    assert list(after.features) == ["text", "image"]
    assert [table.present.sum() for table in after.features.values()] == [2, 1]


def test_users_get_their_columns() -> None:
    dataset = Dataset.from_frame(LOG, users=pl.DataFrame({"user_id": ["u1"], "age": [30]}))
    assert dataset.users.rows() == [(0, "u2", None), (1, "u1", 30)]


def test_frames_of_any_library_and_columns_of_any_name() -> None:
    expected = Dataset.from_frame(LOG, items=ITEMS)
    renamed = LOG.rename({"user_id": "uid", "item_id": "asin", "timestamp": "when"})
    names = {"user": "uid", "item": "asin", "timestamp": "when"}
    for frame in (renamed.to_pandas(), renamed.to_arrow()):
        dataset = Dataset.from_frame(frame, items=ITEMS.rename({"item_id": "asin"}), columns=names)
        assert dataset.interactions.equals(expected.interactions)
        assert dataset.items.equals(expected.items)


def test_cleaning_is_passed_on() -> None:
    rated = LOG.with_columns(rating=pl.Series([5, 5, 5, 5, 5, 5, 1]))
    dataset = Dataset.from_frame(rated, min_rating=4, core=2, split=LeaveOneOut())
    assert (dataset.cleaning.min_rating, dataset.cleaning.core) == (4, 2)
    assert dataset.dropped["interactions_below_min_rating"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"time": "order", "split": "temporal"},
            "split: temporal needs absolute times, and these are 'order'",
        ),
        ({"time": "relative", "split": "temporal"}, "'relative'; use leave-one-out"),
        ({"split": "temporal"}, "leaves no validation target"),
        ({"split": "random"}, "split.kind: there is no 'random'"),
        ({"core": 9}, "none of the 7 interactions is left"),
        ({"core": 0}, "cleaning: core"),
        ({"duplicates": "none"}, "duplicates is .*give one of first, last, all"),
        ({"min_rating": 4}, "no ratings"),
        ({"items": pl.DataFrame({"item_id": ["1", "2"]})}, r"none of the 2 rows .* \('1' against 'b'\)"),
        (
            {"features": {"text": pl.DataFrame({"item_id": ["a"], "x": [float("nan")]})}},
            r"item 'a'\) has NaN",
        ),
    ],
)
def test_wrong_input_is_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        Dataset.from_frame(LOG, **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_what_is_left_out_is_counted_even_if_its_ids_are_not_kept() -> None:
    log = pl.DataFrame({"user_id": [*"aaabbbc"], "item_id": [*"1231231"], "timestamp": range(7)})
    dataset = Dataset.from_frame(log, core=2)
    assert dataset.number_left_out("user") == 1
    assert replace(dataset, left_out=dataset.left_out.clear()).number_left_out("user") == 1


def test_it_prints_as_one_line() -> None:
    log = pl.DataFrame({"user_id": ["a"] * 3, "item_id": ["1", "2", "3"], "timestamp": [1, 2, 3]})
    made = Dataset.from_frame(log, features={"text": (np.eye(2), ["1", "3"])})
    assert repr(made) == "Dataset(1 users, 3 items, 3 interactions, leave-one-out, text 2)"
