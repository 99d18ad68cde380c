"""What evaluation measures is what the recommender serves, also if users come back to items."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec import Dataset, RunConfig, load
from prism_rec.comparison.compare import compare
from prism_rec.comparison.findings import findings
from prism_rec.comparison.popularity import rank_by_popularity
from prism_rec.comparison.recipe import Recipe
from prism_rec.evaluation.results import Evaluation
from prism_rec.events import Events
from prism_rec.rank import PopularityRanker
from prism_rec.runs.evaluate import evaluate
from prism_rec.runs.run import Run
from prism_rec.runs.train import train

USERS, ITEMS, EPOCHS = 40, 20, 2
CUTOFFS = (5, 10, 20, 50)


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def songs() -> Dataset:
    """Listeners who come back to one of three favourites, and some new songs in between."""
    random = np.random.default_rng(5)
    rows = []
    for user in range(USERS):
        favourites = random.permutation(ITEMS)[:3]
        for time in range(9):
            item = random.integers(ITEMS) if random.random() < 0.3 else random.choice(favourites)
            rows.append((f"u{user}", f"i{item}", time))
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Dataset.from_frame(log, duplicates="all")


def train_songs(songs: Dataset, folder: Path, seen: str | None, events: Events = Events()) -> Run:
    model = {"width": 8, "max_length": 6, "fusion": {"kind": "id"}}
    config = RunConfig.parse({"model": model, "train": {"epochs": EPOCHS}, "seen": seen})
    return train(config, folder, data=songs, device="cpu", events=events)


def served_recall(run: Run, part: str) -> dict[str, float]:
    """Return recall from what `recommend` returns for the histories of the questions."""
    questions, ids = run.dataset.queries(part), run.dataset.items["item_id"]  # type: ignore[arg-type]
    histories = [ids.gather(history - 1).to_list() for history in questions.histories]
    frame = load(run.folder.path, "cpu").recommend(histories, k=50)
    lists = dict(frame.group_by("user_id").agg("item_id").iter_rows())
    targets = ids.gather(questions.targets - 1).to_list()
    return {
        f"recall@{k}": np.mean([target in lists[str(row)][:k] for row, target in enumerate(targets)])
        for k in CUTOFFS
    }


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("seen", ["remove", "keep"])
def test_recall_of_a_model_is_that_of_its_recommendations(songs, tmp_path, seen, part):
    run = train_songs(songs, tmp_path / "run", seen)
    report, served = evaluate(run, part), served_recall(run, part)
    assert {name: report["metrics"][name] for name in served} == pytest.approx(served)
    repeated = songs.queries(part).repeated
    assert report["repeated_targets"] == repeated.mean() > 0.3
    assert report["metrics"]["recall@50"] == (1 if seen == "keep" else pytest.approx(1 - repeated.mean()))
    if part == "validation":  # early stopping and the search read these numbers
        best = run.folder.read_manifest()["best_epoch"]
        validated = run.folder.read_log()[best - 1].validation
        assert {name: validated[name] for name in served} == pytest.approx(served)


@pytest.mark.parametrize("seen", ["remove", "keep"])
def test_recall_of_popularity_is_that_of_its_lists(songs, tmp_path, seen):
    questions = songs.queries("test")
    top = PopularityRanker(songs.training(), ITEMS, seen).rank(questions.histories, questions.targets, 50).top
    report = rank_by_popularity("songs", songs, tmp_path, seen).test
    for k in CUTOFFS:
        assert report["metrics"][f"recall@{k}"] == (top[:, :k] == questions.targets[:, None]).any(1).mean()
    seen_too = [set(history) & set(row) for history, row in zip(questions.histories, top, strict=True)]
    assert any(seen_too) == (seen == "keep")
    assert Evaluation.load(tmp_path / "ranks-test.npz").top.tolist() == top.tolist()


def test_the_default_follows_from_the_data_and_is_said_and_stored(songs, tmp_path):
    notes = Notes()
    run = train_songs(songs, tmp_path / "run", None, notes)
    share = songs.queries("validation").repeated.mean()
    assert f"note: {share:.1%} of validation targets are in the user's history; " in notes.lines[0]
    assert "(`seen: keep`)" in notes.lines[0]
    assert Run.load(run.folder.path, "cpu").config.seen == "keep"
    again = Notes()
    train_songs(songs, tmp_path / "run", None, again)
    assert again.lines == [f"done before: {run.folder.path}"]
    heard = Notes()
    assert evaluate(run, events=heard)["seen"] == "keep"
    assert "of test targets are in the user's history" in heard.lines[0]


def test_a_run_of_data_without_repeats_removes_seen_items_and_has_nothing_to_say(songs, tmp_path):
    log = songs.interactions.unique(["user", "item"], keep="first", maintain_order=True)
    once = Dataset.from_frame(log.rename({"user": "user_id", "item": "item_id"}), duplicates="all")
    notes = Notes()
    run = train_songs(once, tmp_path / "run", None, notes)
    report = evaluate(run, events=notes)
    assert [line for line in notes.lines if "questions, so that one user" not in line] == []
    assert (report["seen"], report["repeated_targets"]) == ("remove", 0)


def test_what_is_asked_for_overrides_what_the_run_does(songs, tmp_path):
    for own, other in (("keep", "remove"), ("remove", "keep")):
        recommender = load(train_songs(songs, tmp_path / own, own).folder.path, "cpu")
        user = recommender.dataset.users["user_id"][0]
        history = recommender.history_of(user)
        for whom in ({"users": [user]}, {"histories": [history]}):
            for seen, expected in ((None, own), (own, own), (other, other)):
                items = set(recommender.recommend(**whom, k=ITEMS, seen=seen)["item_id"])
                assert items & set(history) == (set(history) if expected == "keep" else set())


@pytest.mark.slow
def test_a_comparison_asks_models_and_popularity_the_same_question(songs, tmp_path):
    songs.save(tmp_path / "songs")
    for seen, expected in ((None, "keep"), ("remove", "remove")):
        recipe = Recipe.parse(
            {
                "base": {
                    "model": {"width": 8, "max_length": 6, "fusion": {"kind": "id"}},
                    "train": {"epochs": 1},
                    "seen": seen,
                },
                "models": {"id": {}},
                "data": {"songs": str(tmp_path / "songs")},
                "popularity": True,
                "jobs": 1,
            }
        )
        comparison = compare(recipe, tmp_path / str(seen), device="cpu")
        assert [arm.results[0].test["seen"] for arm in comparison.arms] == [expected] * 2
        run = Run.load(tmp_path / str(seen) / "cells/songs/id/seed-0", "cpu")
        served = served_recall(run, "test")
        measured = comparison.arms[0].results[0].test["metrics"]
        assert {name: measured[name] for name in served} == pytest.approx(served)
        assert f"(`seen: {expected}`)" in " ".join(findings(comparison))
