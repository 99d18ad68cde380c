"""From texts to recommendations of new items, by way of a run folder."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec import Dataset, RunConfig, evaluate, load
from prism_rec.data import Bag
from prism_rec.runs.run import Run
from prism_rec.runs.train import train

COLOURS, THINGS = ("red", "green", "blue", "grey", "black", "white"), ("nail", "hair", "lip", "skin")
ITEMS = [f"{colour} {thing}" for thing in THINGS for colour in COLOURS]


@pytest.fixture(scope="module", params=["sum", "prism"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on users who each want one thing in all colours, in any order."""
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        [
            {"user_id": user, "item_id": f"{COLOURS[colour]} {THINGS[user % 4]}"}
            for user in range(60)
            for colour in random.permutation(6)
        ]
    )
    items = pl.DataFrame({"item_id": ITEMS, "title": ITEMS, "shelf": [[name.split()[1]] for name in ITEMS]})
    columns = {"words": "title", "shelf": "shelf"}
    features = {name: (Bag.of(items, [column]), items["item_id"]) for name, column in columns.items()}
    dataset = Dataset.from_frame(log, items, features, time="order")
    settings = {
        "model": {
            "width": 8,
            "max_length": 6,
            "fusion": {"kind": request.param},
            "similar": {"neighbours": 5, "lags": 2},
            "word_dropout": 0.1,
            "id_dropout": 0.1,
            "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0.1},
        },
        "train": {"epochs": 12, "learning_rate": 0.02, "batch_size": 20, "average": 0.5},
    }
    folder = tmp_path_factory.mktemp("runs") / request.param
    train(RunConfig.parse(settings), folder, data=dataset, device="cpu")
    return folder


@pytest.mark.slow
def test_a_loaded_run_has_the_words_that_were_trained(folder: Path) -> None:
    run = Run.load(folder, "cpu")
    bag = run.model.items.bags["words"]
    assert bag.weight_UD.shape == (10, 8)
    first = RunConfig.parse(run.config.model_dump(mode="json")).model.build(24, run.dataset.features)
    assert not torch.equal(bag.weight_UD, first.items.bags["words"].weight_UD)
    assert evaluate(run)["metrics"]["ndcg@5"] > 0.9


def test_a_new_item_is_recommended_to_those_who_want_its_like(folder: Path) -> None:
    new = pl.DataFrame(
        {
            "item_id": ["n", "h", "?"],
            "title": ["Nail, violet", "violet hair", "thing"],
            "shelf": [["nail"], ["hair"], None],
        }
    )
    recommender = load(folder, "cpu").add_items(new)
    histories = {"n": ["red nail", "blue nail"], "h": ["red hair", "blue hair"]}
    frame = recommender.recommend(histories, candidates=["n", "h", "?"], k=3)
    best = frame.filter(pl.col("rank") == 1)
    assert best["item_id"].to_list() == ["n", "h"]
    assert frame.filter(item_id="?")["id"].to_list() == [0, 0]  # nothing is known of it
    assert frame.filter(pl.col("item_id") != "?")["id"].n_unique() == 1
    parts = frame.select(recommender.component_names).to_numpy().sum(1)
    np.testing.assert_allclose(parts, frame["score"].to_numpy(), atol=1e-5)
    unknown = frame.filter(pl.col("item_id") == "?")
    assert not unknown["score"].to_numpy().any()


def test_another_bag_is_other_data(folder: Path, tmp_path: Path) -> None:
    run = Run.load(folder, "cpu")
    items = run.dataset.items.drop("row")
    other = run.dataset.with_features({"words": (Bag.of(items, ["title"], 5), items["item_id"])})
    with pytest.raises(ValueError, match="was begun on other data"):
        train(run.config, folder, data=other, device="cpu")
