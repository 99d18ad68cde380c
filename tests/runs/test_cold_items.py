"""Runs on questions about items that appear after training: only these are ranked."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec import ColdItems, Dataset, Run, RunConfig, ensemble, evaluate
from prism_rec.evaluation.results import Evaluation
from prism_rec.runs.train import train

KINDS = 4


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Users take items of one kind, 10 in training and then 3 new ones in each part; pictures show the kind."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(60):
        kind = user % KINDS
        for part, (first, items, events) in enumerate(((0, 12, 10), (12, 6, 3), (18, 6, 3))):
            for time, item in enumerate(random.permutation(items)[:events]):
                rows.append((f"u{user}", f"i{kind}-{first + item}", 100 * part + time))
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    ids = log["item_id"].unique().sort().to_list()
    pictures = np.eye(KINDS)[[int(one[1]) for one in ids]] + random.normal(scale=0.05, size=(len(ids), KINDS))
    return Dataset.from_frame(log, features={"image": (pictures, ids)}, split=ColdItems(times=(100, 200)))


def make_run(folder: Path, dataset: Dataset, seed: int = 0) -> Run:
    config = {
        "model": {"width": 16, "max_length": 20, "id_dropout": 0.5, "fusion": {"kind": "sum"}},
        "objective": {"kind": "cross_entropy", "over": "trained"},
        "train": {"epochs": 12, "batch_size": 16, "learning_rate": 1e-2, "seed": seed, "metric": "recall@5"},
    }
    return train(RunConfig.parse(config), folder, data=dataset)


@pytest.fixture(scope="module")
def run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("run"), dataset)


@pytest.mark.slow
def test_only_new_items_are_ranked_and_content_finds_them(run: Run) -> None:
    found = evaluate(run, "test")
    candidates = run.dataset.queries("test").candidates
    top = Evaluation.load(run.folder.evaluation("test")).top
    assert candidates is not None
    assert set(np.unique(top[:, :5])) <= set(candidates.tolist())
    assert (np.count_nonzero(top, axis=1) == len(candidates)).all()
    assert found["metrics"]["recall@5"] > 0.6  # 6 of the 24 candidates are of the user's kind
    assert found["metrics"]["recall@50"] == 1


@pytest.mark.slow
def test_an_ensemble_is_validated_on_new_items_too(run: Run, dataset: Dataset, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", dataset, seed=1)
    both = ensemble([run.folder.path, other.folder.path], tmp_path / "both")
    best = max(evaluate(one, "validation")["metrics"]["recall@5"] for one in (run, other))
    assert evaluate(both, "validation")["metrics"]["recall@5"] >= best
