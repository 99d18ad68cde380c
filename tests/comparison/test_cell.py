"""One cell: a whole result, its claim on its folder, and damage that is noticed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from comparison.tiny import make
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import load_result
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.evaluation.results import Evaluation
from prism_rec.explain.gate_weights import weigh
from prism_rec.recommend.recommender import load
from prism_rec.records import write_record
from prism_rec.runs.evaluate import evaluate
from prism_rec.runs.run import Run
from prism_rec.training import RunConfig

CLAIM, RANKS, RESULT = "cell.json", "ranks-test.npz", "result.json"


def test_a_cell_leaves_a_whole_result(cells: list[Cell]) -> None:
    make(cells[1])
    result = load_result(cells[1].folder)
    assert result is not None
    assert (result.data, result.model, result.seed) == ("tiny", "prism", 0)
    assert result.config == {**cells[1].config.model_dump(mode="json"), "seen": "remove"}
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


def test_a_cell_is_tested_on_the_test_questions(cells: list[Cell]) -> None:
    make(cells[1])
    result, run = load_result(cells[1].folder), Run.load(cells[1].folder, "cpu")
    assert result is not None
    found = evaluate(run, "test")
    del found["popularity"]  # a cell of its own in a comparison
    assert result.test == found
    one, other = (Evaluation.load(path) for path in (run.folder.ranks, run.folder.evaluation("test")))
    assert np.array_equal(one.ranks, other.ranks)
    assert np.array_equal(one.top, other.top)
    assert result.gate == weigh(run.ranker(256), run.dataset.queries("test").histories)
    assert result.gate != weigh(run.ranker(256), run.dataset.queries("validation").histories)


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
    with pytest.raises(
        InputError, match="cell.json was changed after it was written; compare in another folder"
    ):
        make(cells[0])


def test_a_claim_of_another_version_is_not_told_to_be_damaged(cells: list[Cell]) -> None:
    make(cells[0])
    path = cells[0].folder / CLAIM
    claim = json.loads(path.read_text())
    claim["config"]["train"]["later"] = 1
    write_record(path, claim)
    with pytest.raises(InputError, match="begun by another version") as caught:
        make(cells[0])
    assert "remove" not in str(caught.value)


@pytest.mark.slow
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
    one.pop("manifest.json")
    two.pop("manifest.json")
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
