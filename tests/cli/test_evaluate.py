"""What `prism-rec evaluate` prints, and what it gives as JSON."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.cli.app import run as run_command
from prism_rec.data import Dataset
from prism_rec.rank import PopularityRanker
from prism_rec.runs.train import train
from prism_rec.training import RunConfig

ITEMS = 30


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train one epoch on 60 users; only the one target that nobody else chose lacks its picture."""
    random = np.random.default_rng(0)
    chosen = [random.choice(ITEMS - 1, 6, replace=False) for _ in range(60)]
    chosen[0][-1] = ITEMS - 1
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(60), 6),
            "item_id": np.concatenate(chosen),
            "timestamp": np.tile(np.arange(6), 60),
        }
    )
    pictures = (random.normal(size=(ITEMS - 1, 4)).astype(np.float32), list(range(ITEMS - 1)))
    config = {"model": {"width": 8, "fusion": {"kind": "sum"}}, "train": {"epochs": 1}}
    folder = tmp_path_factory.mktemp("evaluate") / "run"
    dataset = Dataset.from_frame(log, features={"image": pictures})
    train(RunConfig.parse(config), folder, data=dataset, device="cpu")
    return folder


def test_slices_of_few_users_are_named_without_an_interval(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run_command(["evaluate", str(run), "--device", "cpu"])
    shown = capsys.readouterr().out
    assert "seen items removed" in " ".join(shown.split())
    table, note = shown.split("Not shown, with fewer than 20 users: ")
    assert "missing:image (1)" in note
    assert "present:image" in table
    assert "missing:image" not in table
    run_command(["evaluate", str(run), "--device", "cpu", "--json"])
    slices = json.loads(capsys.readouterr().out)["slices"]
    assert slices["missing:image"]["recall@10"]["queries"] == 1


def test_popularity_is_measured_with_the_same_users_and_candidates(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run_command(["evaluate", str(run), "--device", "cpu", "--json"])
    found = json.loads(capsys.readouterr().out)["popularity"]
    dataset = Dataset.load(run / "data")
    ranker = PopularityRanker(dataset.training(), dataset.number_of_items, "remove")
    questions = dataset.queries("test")
    ranks = ranker.rank(questions.histories, questions.targets).ranks
    assert found["recall@10"] == pytest.approx((ranks <= 10).mean())
    run_command(["evaluate", str(run), "--device", "cpu"])
    shown = capsys.readouterr().out
    assert f"same users and candidates: recall@10 {found['recall@10']:.4f}, ndcg@10" in shown
