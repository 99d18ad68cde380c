"""Recommendations from a run: external ids in and out, scores that add up, items that came after training."""

from copy import copy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec import Dataset, RunConfig, load
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.recommend.recommender import Recommender
from prism_rec.runs.train import train

ITEMS, USERS, WIDTH = 12, 20, 6
MODEL = {"width": 8, "max_length": 5, "fusion": {"kind": "prism_experts", "hidden": 6}}


class Notes(Events):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


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


def test_the_unknown_get_the_most_popular_items_and_nobody_fails(recommender):
    notes = Notes()
    histories = {"known": ["item-01"], "none": [], "strange": ["x"]}
    frame = recommender.recommend(histories, k=2, exclude=["item-04"], events=notes)
    assert frame["user_id"].to_list() == ["known"] * 2 + ["none"] * 2 + ["strange"] * 2
    assert frame["basis"].to_list() == ["model"] * 2 + ["popularity"] * 4
    assert frame["rank"].to_list() == [1, 2] * 3
    counts = recommender.dataset.histories.counts(ITEMS)
    ids = recommender.dataset.items["item_id"].to_list()
    popular = sorted(
        (item for item in ids if item != "item-04"), key=lambda item: -counts[1 + ids.index(item)]
    )
    assert frame["item_id"].to_list()[2:] == popular[:2] * 2
    assert frame["score"].null_count() == frame["id"].null_count() == 4
    assert notes.lines == ["note: unknown items in the histories: 1, first 'x'; left out"]
    frame = recommender.recommend(users=["nobody", "u1"], k=2, events=notes)
    assert frame["user_id"].to_list() == ["nobody"] * 2 + ["u1"] * 2
    assert frame["basis"].to_list() == ["popularity"] * 2 + ["model"] * 2
    assert notes.lines[1:] == ["note: 1 of 2 users are unknown, first 'nobody'"]
    assert recommender.recommend([]).is_empty()
    assert recommender.recommend([]).schema == frame.schema


def test_titles_exclusion_and_conditions(recommender):
    notes = Notes()
    frame = recommender.recommend(
        [["item-01"]],
        candidates=["item-02", "item-03", "item-05", "gone"],
        exclude=["item-03", "out of stock"],
        where={"title": {"contains": "TITLE"}},
        events=notes,
    )
    assert set(frame["item_id"]) == {"item-02", "item-05"}
    assert (frame["title"] == "Title " + frame["item_id"]).all()
    assert notes.lines == [
        "note: 1 of 4 candidates are unknown, first 'gone'; skipped",
        "note: 1 of 2 excluded items are unknown, first 'out of stock'; skipped",
    ]
    nothing = {"title": {"contains": "nothing"}}
    assert recommender.recommend([["item-01"]], where=nothing).is_empty()


def test_vectors_of_users_and_items_give_the_scores(recommender):
    items, users = recommender.item_vectors(), recommender.user_vectors()
    assert users["user_id"].to_list() == recommender.dataset.users["user_id"].to_list()
    scores = users["vector"].to_numpy() @ items["vector"].to_numpy().T
    frame = recommender.recommend(users=users["user_id"], k=ITEMS, seen="keep")
    row = {user: place for place, user in enumerate(users["user_id"])}
    column = {item: place for place, item in enumerate(items["item_id"])}
    for user, item, score in frame.select("user_id", "item_id", "score").iter_rows():
        assert scores[row[user], column[item]] == pytest.approx(score, abs=1e-5)
    assert recommender.user_vectors({"a": ["x"], "b": ["item-01"]})["user_id"].to_list() == ["b"]
    assert recommender.user_vectors([])["vector"].dtype == users["vector"].dtype


def test_similar_items_are_those_that_the_model_reads_alike(recommender):
    vectors = {"image": [features_of(recommender, "item-05")["image"]]}
    vectors["text"] = [features_of(recommender, "item-05")["text"]]
    wider = copy(recommender).add_items(
        pl.DataFrame({"item_id": ["twin"]}), {name: (rows, ["twin"]) for name, rows in vectors.items()}
    )
    frame = wider.similar_items("item-05", k=3)
    assert frame["rank"].to_list() == [1, 2, 3]
    assert frame["similarity"].is_sorted(descending=True)
    assert wider.similar_items("item-05", k=ITEMS + 5).height == ITEMS
    assert "item-05" not in wider.similar_items("item-05", k=ITEMS + 5)["item_id"]
    assert wider.similar_items("twin", candidates=["item-01", "item-05"], exclude=["item-05"]).height == 1
    # An item with the same vectors and the same id is as similar as can be.
    with torch.no_grad():
        wider.ranker.model.items.ids.weight[-1] = wider.ranker.model.items.ids.weight[
            1 + wider.dataset.items["item_id"].index_of("item-05")
        ]
        wider.ranker.model.items.known_N[-1] = True
    best = Recommender(wider.run).similar_items("item-05", k=1)
    assert best["item_id"].to_list() == ["twin"]
    assert best["similarity"][0] == pytest.approx(1, abs=1e-5)
    with pytest.raises(InputError, match="item 'x' is unknown"):
        wider.similar_items("x")


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "give either histories or users"),
        ({"histories": [["item-01"]], "candidates": ["x"]}, "none of the candidates is known"),
        ({"histories": [["item-01"]], "candidates": "item-02"}, "candidates: given is str"),
        ({"users": "u1"}, "users: given is str"),
        ({"histories": {"u": "item-01"}}, "the history of user u: given is str"),
        ({"users": ["u1"], "k": 0}, "k is 0"),
        ({"users": ["u1"], "seen": True}, "seen is bool True; give one of remove, keep"),
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
    question = {"histories": [item_ids()[7:9]], "k": ITEMS + 2, "seen": "keep"}
    before = recommender.recommend(**question)
    after = copy(recommender).add_items(new, features).recommend(**question)
    assert recommender.recommend(**question).equals(before)
    known = after.filter(pl.col("item_id").is_in(item_ids())).drop("rank")
    assert known["item_id"].to_list() == before["item_id"].to_list()
    columns = ["score", *recommender.component_names]
    np.testing.assert_allclose(known.select(columns).to_numpy(), before.select(columns).to_numpy(), atol=1e-6)
    row_of = {row["item_id"]: row for row in after.iter_rows(named=True)}
    assert any(row_of["both"][name] for name in recommender.component_names[1:])
    for one, other in twins.items():
        assert row_of[one]["id"] == pytest.approx(float(recommender.ranker.model.items.unknown_id))
        for name in recommender.component_names[1:]:
            assert row_of[one][name] == pytest.approx(row_of[other][name], abs=1e-6)


def test_a_new_item_may_stand_in_a_history_and_have_nothing_but_its_id(recommender):
    wider = copy(recommender).add_items(pl.DataFrame({"item_id": ["bare"]}))
    assert wider.recommend([["bare"]], k=3).height == 3
    row = wider.recommend([["item-01"]], candidates=["bare"]).row(0, named=True)
    assert all(row[name] == 0 for name in ("score", *recommender.component_names))
    assert recommender.recommend([["bare"]], k=1)["basis"].to_list() == ["popularity"]


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
        recommender.add_items(pl.DataFrame({"item_id": items}), features)


def test_a_model_of_ids_alone_cannot_rank_new_items(tmp_path):
    recommender = make_run(tmp_path / "run", candidates="id")
    with pytest.raises(InputError, match="candidates: content"):
        recommender.add_items(pl.DataFrame({"item_id": ["new"]}))


def test_users_and_histories_are_read_from_frames_series_and_maps(recommender):
    import pandas as pd

    def items_of(**question):
        return recommender.recommend(**question, k=3)["item_id"].to_list()

    one = items_of(users=["u1"])
    assert items_of(users=pd.Series(["u1"])) == items_of(users=pl.DataFrame({"user_id": ["u1"]})) == one
    history = recommender.history_of("u1")
    forms = [
        {"u1": history},
        [history],
        [tuple(history)],
        pl.DataFrame({"user_id": ["u1"], "history": [history]}),
        pl.Series([history]),
        pd.DataFrame({"history": [history]}),
        pd.Series([history], index=["u1"]),
        {"u1": pd.Series(history)},
    ]
    for form in forms:
        assert items_of(histories=form) == one
    assert recommender.recommend(pd.Series([history], index=["u1"]), k=1)["user_id"].to_list() == ["u1"]
    some = ["item-03", "item-07"]
    wanted = items_of(histories=[["item-01"]], candidates=some)
    assert items_of(histories=[["item-01"]], candidates=pl.Series(some)) == wanted
    assert items_of(histories=[["item-01"]], candidates=np.array(some)) == wanted


@pytest.mark.parametrize(
    "question",
    [
        {"users": "u1"},
        {"users": {"u1"}},
        {"users": {"u1": 1}},
        {"users": 1},
        {"users": [1.0]},
        {"users": [None]},
        {"users": ["u1", 2]},
        {"users": pl.DataFrame({"user": ["u1"]})},
        {"histories": "item-01"},
        {"histories": ["item-01"]},
        {"histories": {("item-01",)}},
        {"histories": [{"item-01"}]},
        {"histories": [None]},
        {"histories": {1: ["item-01"], "1": ["item-02"]}},
        {"histories": 5},
        {"histories": pl.DataFrame({"items": [["item-01"]]})},
        {"users": ["u1"], "candidates": {"item-01"}},
        {"users": ["u1"], "candidates": 5},
        {"users": ["u1"], "exclude": "item-01"},
        {"users": ["u1"], "k": 1.0},
        {"users": ["u1"], "k": "3"},
        {"users": ["u1"], "k": True},
        {"users": ["u1"], "seen": None, "where": ["a"]},
        {"users": ["u1"], "events": print},
    ],
)
def test_what_is_not_a_list_of_ids_is_refused_in_one_line(recommender, question):
    with pytest.raises(InputError) as told:
        recommender.recommend(**question)
    assert "\n" not in str(told.value)
