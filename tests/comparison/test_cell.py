import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from prism_rec.comparison.cell import run_cell
from prism_rec.comparison.compare import compare
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import load_result
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.events import Events, Fact
from prism_rec.folders import locked
from prism_rec.jobs.job import Workers
from prism_rec.jobs.local import run_jobs
from prism_rec.recommend.recommender import load
from prism_rec.training import RunConfig

CLAIM, RANKS, RESULT = "cell.json", "ranks-test.npz", "result.json"
ONE = Workers(jobs=1, threads=1, device="cpu")


@pytest.fixture
def cells(recipe: Recipe, tmp_path: Path) -> list[Cell]:
    return plan(recipe, tmp_path / "out")


class Notes(Events):
    """Keeps notes, and the tasks that have begun and not ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open: list[str] = []

    def begin(self, task: str, total: int | None = None) -> None:
        self.open.append(task)

    def end(self, task: str) -> None:
        self.open.remove(task)

    def note(self, line: str) -> None:
        self.lines.append(line)


def make(cell: Cell) -> None:
    with locked(cell.folder, wait=False):
        run_cell(cell, "cpu", 1, Events())


def test_a_cell_leaves_a_whole_result(cells: list[Cell]) -> None:
    make(cells[1])
    result = load_result(cells[1].folder)
    assert result is not None
    assert (result.data, result.model, result.seed) == ("tiny", "prism", 0)
    assert result.config == cells[1].config.model_dump(mode="json")
    assert (result.loss, result.negatives) == ("cross_entropy", None)
    assert len(result.epochs) == 3
    best = max(result.epochs, key=lambda record: record.validation["ndcg@10"])
    assert result.best_epoch == best.epoch
    assert result.stopped_by == "epochs"
    assert result.share == 1
    assert result.training_seconds == pytest.approx(sum(r.seconds for r in result.epochs), abs=1e-3)
    assert result.gate is not None
    assert result.gate.components == ("unique:text", "redundancy", "synergy")
    assert sum(result.gate.mean) == pytest.approx(1)
    assert {sum(counts) for counts in result.gate.histogram} == {result.test["users"]}
    assert all(list(quantiles) == sorted(quantiles) for quantiles in result.gate.quantiles)


def test_a_model_without_a_gate_has_no_weights(cells: list[Cell]) -> None:
    make(cells[0])
    result = load_result(cells[0].folder)
    assert result is not None
    assert result.gate is None


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def change_a_digit(path: Path) -> None:
    text = path.read_text()
    place = text.index('"ndcg@10": 0.') + len('"ndcg@10": 0.')
    path.write_text(f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (RESULT, cut),
        (RESULT, change_a_digit),
        (RESULT, lambda path: path.write_text("[]")),
        (RESULT, Path.unlink),
        (RANKS, cut),
        (RANKS, Path.unlink),
    ],
    ids=["cut", "another digit", "no object", "gone", "ranks cut", "ranks gone"],
)
def test_a_damaged_result_is_found_and_tested_again(
    cells: list[Cell], name: str, damage: Callable[[Path], None]
) -> None:
    make(cells[0])
    folder = cells[0].folder
    before, trained = load_result(folder), (folder / "log.jsonl").stat().st_mtime_ns
    damage(folder / name)
    assert load_result(folder) is None
    make(cells[0])
    after = load_result(folder)
    assert before is not None
    assert after is not None
    assert after.test == before.test
    assert (folder / "log.jsonl").stat().st_mtime_ns == trained  # not trained again


def test_a_finished_cell_is_left_alone(cells: list[Cell]) -> None:
    make(cells[0])
    written = (cells[0].folder / RESULT).stat().st_mtime_ns
    make(cells[0])
    assert (cells[0].folder / RESULT).stat().st_mtime_ns == written


def test_other_settings_in_a_begun_folder_are_refused(cells: list[Cell]) -> None:
    make(cells[0])
    with pytest.raises(InputError, match=r"other settings or data \(`model.*: .*; name another folder"):
        make(replace(cells[0], config=RunConfig()))


def test_other_data_in_a_begun_folder_is_refused(cells: list[Cell], tmp_path: Path) -> None:
    make(cells[0])
    dataset = Dataset.load(cells[0].dataset)
    dataset.save(tmp_path / "again")
    make(replace(cells[0], dataset=tmp_path / "again"))
    replace_users(dataset).save(tmp_path / "other")
    with pytest.raises(InputError, match=r"other settings or data \(other data\)"):
        make(replace(cells[0], dataset=tmp_path / "other"))


def replace_users(dataset: Dataset) -> Dataset:
    return replace(dataset, users=dataset.users.with_columns(user_id="v" + pl.col("user_id")))


def test_a_damaged_claim_is_told(cells: list[Cell]) -> None:
    make(cells[0])
    cut(cells[0].folder / CLAIM)
    with pytest.raises(InputError, match="cell.json is damaged; remove"):
        make(cells[0])


def test_a_claim_of_another_version_is_not_told_to_be_damaged(cells: list[Cell]) -> None:
    make(cells[0])
    path = cells[0].folder / CLAIM
    claim = json.loads(path.read_text())
    claim["config"]["train"]["later"] = 1
    path.write_text(json.dumps(claim))
    with pytest.raises(InputError, match="begun by another version") as caught:
        make(cells[0])
    assert "remove" not in str(caught.value)


def test_cells_share_their_data_and_each_stands_alone(recipe: Recipe, prepared: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(prepared, source)
    recipe = recipe.model_copy(update={"data": {"tiny": source}})
    cells = plan(recipe, tmp_path / "out")
    for cell in cells:
        make(cell)
    one, two = (
        {path.name: path.stat().st_ino for path in (cell.folder / "data").rglob("*.*")} for cell in cells
    )
    assert one == two
    shutil.rmtree(source)
    shutil.rmtree(cells[0].pool)
    shutil.rmtree(cells[0].folder)
    assert load(cells[1].folder).recommend([["i1", "i2"]], k=3).height == 3


def test_a_control_keeps_the_features_that_its_model_saw(recipe: Recipe, tmp_path: Path) -> None:
    models = {"control": {"features": "random", **recipe.models["prism"]}}
    recipe = recipe.model_copy(update={"models": models, "reference": "control"})
    (cell,) = plan(recipe, tmp_path / "out")
    make(cell)
    own, given = (
        Dataset.load(folder).features["text"].vectors for folder in (cell.folder / "data", cell.dataset)
    )
    assert not np.allclose(own, given)


def test_a_locked_cell_is_for_one_process_alone(cells: list[Cell]) -> None:
    with (
        locked(cells[0].folder, wait=False),
        pytest.raises(BlockingIOError),
        locked(cells[0].folder, wait=False),
    ):
        pass
    with locked(cells[0].folder, wait=False):
        pass


def test_a_killed_cell_costs_itself_alone_and_goes_on(
    recipe: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train = {**recipe.base["train"], "epochs": 12, "patience": 12}
    recipe = recipe.model_copy(update={"base": {**recipe.base, "train": train}, "jobs": 1})
    id_alone, prism = plan(recipe, tmp_path / "killed")

    class KillsPrism(Notes):
        def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
            if task == f"{prism.name}: training" and facts and facts["epoch"] == "3 of 12":
                (child,) = active_children()
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)

    kills = KillsPrism()
    failures = run_jobs([id_alone, prism], run_cell, ONE, "cells", kills)
    assert failures == {prism.name: "its process ended with status -9"}
    assert kills.lines == [
        f"{prism.name}: failed: its process ended with status -9",
        f"{id_alone.name}: done",
    ]
    assert kills.open == []
    assert load_result(prism.folder) is None
    trained = (prism.folder / "log.jsonl").read_text().splitlines()
    untouched = (id_alone.folder / RESULT).stat().st_mtime_ns

    notes = Notes()
    compare(recipe, tmp_path / "killed", device="cpu", events=notes)
    assert notes.lines == [
        f"tiny/prism/seed-0: continuing from epoch {len(trained) + 1} of at most 12",
        "tiny/prism/seed-0: done",
        "tiny/id/seed-0: kept",
    ]
    assert capfd.readouterr() == ("", "")
    assert (id_alone.folder / RESULT).stat().st_mtime_ns == untouched
    assert 2 <= len(trained) < 12
    kept = (prism.folder / "log.jsonl").read_text().splitlines()[: len(trained)]
    assert [json.loads(line)["seconds"] for line in kept] == [json.loads(line)["seconds"] for line in trained]

    whole = plan(recipe, tmp_path / "whole")[1]
    make(whole)
    resumed, expected = load_result(prism.folder), load_result(whole.folder)
    assert resumed is not None
    assert expected is not None
    assert resumed.test == expected.test


def test_two_processes_on_one_folder_share_the_work(recipe: Recipe, tmp_path: Path) -> None:
    cells = plan(recipe, tmp_path / "out")
    first = threading.Event()

    class Hears(Notes):
        def note(self, line: str) -> None:
            super().note(line)
            first.set()

    notes = Hears()
    with locked(cells[1].folder, wait=False):  # as another process would that makes this cell
        ours = threading.Thread(target=run_jobs, args=(cells, run_cell, ONE, "cells", notes), daemon=True)
        ours.start()
        assert first.wait(60)
        assert notes.lines[0] == "tiny/id/seed-0: done"  # the free cell is made meanwhile
        run_cell(cells[1], "cpu", 1, Events())
        written = (cells[1].folder / RESULT).stat().st_mtime_ns
        assert ours.is_alive()  # waiting for the held one
    ours.join(60)
    assert notes.lines[1:] == [
        "tiny/prism/seed-0: another process works on it; waiting for it",
        "tiny/prism/seed-0: kept",
    ]
    assert (cells[1].folder / RESULT).stat().st_mtime_ns == written  # taken as the other left it


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"modalities": ["text", "sound"]}, "no 'sound'"),
        ({"fusion": {"kind": "prism", "lambdas": {"uniques": {"sound": 0.5}}}}, "no modality 'sound'"),
        ({"width": 9, "backbone": {"heads": 2}}, "not a multiple"),
    ],
    ids=["modality", "loss weight", "heads"],
)
def test_a_model_that_does_not_fit_the_data_is_refused_before_any_cell(
    recipe: Recipe, tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    recipe = recipe.model_copy(update={"models": {**recipe.models, "odd": {"model": model}}})
    with pytest.raises(InputError, match=f"model odd does not fit data tiny: .*{message}"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_model_that_does_not_fit_is_refused_before_any_search(recipe: Recipe, tmp_path: Path) -> None:
    space = {"train.learning_rate": {"kind": "choice", "values": [1e-3, 1e-2]}}
    models = {
        name: {"model": {"modalities": [name]}, "tune": {"trials": 1, "space": space}}
        for name in ("text", "sound")
    }
    recipe = recipe.model_copy(update={"models": models, "reference": "text"})
    with pytest.raises(InputError, match="model sound does not fit data tiny: .*no 'sound'"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_data_that_is_not_prepared_is_refused_before_anything_runs(recipe: Recipe, tmp_path: Path) -> None:
    recipe = recipe.model_copy(update={"data": {"x": tmp_path}})
    with pytest.raises(InputError, match="run prepare again"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()
