"""Recommendations from a run: external ids in and out, scores that add up, items that came after training."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec import Dataset, RunConfig, load
from prism_rec.errors import InputError
from prism_rec.recommend.recommender import Recommender
from prism_rec.runs.train import train

ITEMS, USERS, WIDTH = 12, 20, 6
MODEL = {"width": 8, "max_length": 5, "fusion": {"kind": "prism", "hidden": 6}}


def item_ids() -> list[str]:
    return [f"item-{number:02}" for number in range(ITEMS)]


def make_run(folder: Path, **model: object) -> Recommender:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        [
            {"user_id": f"u{user}", "item_id": item_ids()[item], "timestamp": time}
            for user in range(USERS)
            for time, item in enumerate(random.permutation(ITEMS)[:5])
        ]
    )
    items = pl.DataFrame({"item_id": item_ids(), "title": [f"Title {name}" for name in item_ids()]})
    features = {
        "image": (random.normal(size=(ITEMS, WIDTH)), item_ids()),
        "text": (random.normal(size=(ITEMS - 2, WIDTH)), item_ids()[2:]),
    }
    dataset = Dataset.from_frame(log, items, features)
    train(RunConfig.parse({"model": MODEL | model, "train": {"epochs": 1}}), folder, data=dataset)
    return load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "prism"
    make_run(folder)
    return folder


@pytest.fixture(scope="module")
def recommender(folder) -> Recommender:
    return load(folder)


def features_of(recommender: Recommender, item: str) -> dict[str, np.ndarray]:
    row = 1 + recommender.dataset.items["item_id"].index_of(item)
    return {
        name: table.vectors[row] for name, table in recommender.dataset.features.items() if table.present[row]
    }


def test_parts_add_up_and_items_of_the_history_stay_out(recommender):
    history = item_ids()[3:6]
    frame = recommender.recommend({"someone new": history}, k=ITEMS)
    parts = frame.select(recommender.component_names).to_numpy().sum(1)
    np.testing.assert_allclose(parts, frame["score"].to_numpy(), atol=1e-5)
    assert frame["score"].is_sorted(descending=True)
    assert frame["rank"].to_list() == list(range(1, ITEMS - 2))
    assert set(frame["item_id"]) == set(item_ids()) - set(history)
    with_seen = recommender.recommend({"someone new": history}, k=ITEMS, seen="keep")
    assert set(with_seen["item_id"]) == set(item_ids())


def test_known_users_stand_for_their_histories_and_candidates_narrow_the_choice(recommender):
    users = recommender.dataset.users["user_id"].to_list()[:3]
    items = recommender.dataset.items["item_id"]
    histories = {user: items.gather(recommender.dataset.histories[row] - 1) for row, user in enumerate(users)}
    by_user = recommender.recommend(users=users, k=4)
    assert by_user.equals(
        recommender.recommend({user: list(history) for user, history in histories.items()}, k=4)
    )
    few = recommender.recommend(users=users, k=4, candidates=item_ids()[:2], seen="keep")
    assert set(few["item_id"]) == set(item_ids()[:2])


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "give either histories or users"),
        ({"users": ["nobody"]}, "user 'nobody' is unknown"),
        ({"histories": [["item-01"]], "candidates": ["x"]}, "item 'x' is unknown"),
        ({"histories": [["x", "y"]]}, "no item that the model knows"),
        ({"histories": {"u": "item-01"}}, "is one string"),
        ({"users": ["u1"], "k": 0}, "k is 0"),
        ({"users": ["u1"], "seen": True}, "seen is True; choose one of remove, keep"),
    ],
)
def test_a_wrong_question_is_told_in_one_line(recommender, question, message):
    with pytest.raises(InputError, match=message):
        recommender.recommend(**question)


def test_a_new_item_with_the_features_of_an_old_one_has_its_content_scores(recommender):
    twins = {"image-only": "item-00", "both": "item-05"}
    features = {
        name: (
            [
                features_of(recommender, old)[name]
                for old in twins.values()
                if name in features_of(recommender, old)
            ],
            [new for new, old in twins.items() if name in features_of(recommender, old)],
        )
        for name in ("image", "text")
    }
    new = pl.DataFrame({"item_id": list(twins), "title": ["A picture", None], "price": [1.5, 2.0]})
    wider = recommender.with_items(new, features)
    question = {"histories": [item_ids()[7:9]], "k": ITEMS + 2, "seen": "keep"}
    before, after = recommender.recommend(**question), wider.recommend(**question)
    known = after.filter(pl.col("item_id").is_in(item_ids())).drop("rank")
    assert known["item_id"].to_list() == before["item_id"].to_list()
    columns = ["score", *recommender.component_names]
    np.testing.assert_allclose(known.select(columns).to_numpy(), before.select(columns).to_numpy(), atol=1e-6)
    row_of = {row["item_id"]: row for row in after.iter_rows(named=True)}
    assert any(row_of["both"][name] for name in recommender.component_names[1:])
    for one, other in twins.items():
        assert row_of[one]["id"] == 0
        for name in recommender.component_names[1:]:
            assert row_of[one][name] == pytest.approx(row_of[other][name], abs=1e-6)


def test_a_new_item_may_stand_in_a_history_and_have_nothing_but_its_id(recommender):
    wider = recommender.with_items(pl.DataFrame({"item_id": ["bare"]}))
    assert wider.recommend([["bare"]], k=3).height == 3
    row = wider.recommend([["item-01"]], candidates=["bare"]).row(0, named=True)
    assert all(row[name] == 0 for name in ("score", *recommender.component_names))
    with pytest.raises(InputError, match="no item that the model knows"):
        recommender.recommend([["bare"]])


@pytest.mark.parametrize(
    ("items", "features", "message"),
    [
        (["item-03"], {}, "item 'item-03' is in the catalogue already"),
        (["new"], {"sound": (np.ones((1, 2)), ["new"])}, "has no feature 'sound'"),
        (
            ["new"],
            {"text": (np.ones((1, 2)), ["new"])},
            "has the width 2, and the model was trained with 6",
        ),
        (["new"], {"text": (np.ones((1, 6), np.uint8), ["new"])}, "has uint8 values"),
        (["new"], {"text": (np.ones((1, 6)), ["newer"])}, "none of its ids"),
        (["new", "new"], {}, "repeats the id 'new'"),
    ],
)
def test_wrong_new_items_are_told_in_one_line(recommender, items, features, message):
    with pytest.raises(InputError, match=message):
        recommender.with_items(pl.DataFrame({"item_id": items}), features)


def test_a_model_of_ids_alone_cannot_rank_new_items(tmp_path):
    recommender = make_run(tmp_path / "run", candidates="id")
    with pytest.raises(InputError, match="candidates: content"):
        recommender.with_items(pl.DataFrame({"item_id": ["new"]}))
