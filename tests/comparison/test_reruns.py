"""The same command again, as it was or mended."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from prism_rec.comparison.cell import check_claims, run_cell
from prism_rec.comparison.compare import compare
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.files import locked

CLAIM, RANKS, RESULT = "cell.json", "ranks-test.npz", "result.json"


def make(cell: Cell) -> str:
    with locked(cell.folder, wait=False):
        return run_cell(cell, "cpu", 1, Events())


def change_rate(cell: Cell, rate: float) -> Cell:
    train = cell.config.train.model_copy(update={"learning_rate": rate})
    return replace(cell, config=cell.config.model_copy(update={"train": train}))


@pytest.mark.slow
def test_a_failure_keeps_the_other_cells_and_is_made_with_mended_settings(
    recipe: Recipe, tmp_path: Path
) -> None:
    mended = {"model": {"fusion": {"kind": "sum"}}}
    diverging = {**mended, "train": {"learning_rate": 1e30}}
    first, second = (
        recipe.model_copy(update={"models": {"id": recipe.models["id"], "sum": model}, "jobs": 1})
        for model in (diverging, mended)
    )
    with pytest.raises(
        InputError, match=r"1 of 2 cells failed, first tiny/sum/seed-0: .*not finite in epoch 1"
    ):
        compare(first, tmp_path, device="cpu")
    kept, begun = (cell.folder for cell in plan(second, tmp_path))
    assert (begun / CLAIM).exists()
    assert not (tmp_path / "table.csv").exists()
    written = (kept / RESULT).stat().st_mtime_ns
    compare(second, tmp_path, device="cpu")
    assert (kept / RESULT).stat().st_mtime_ns == written


def test_a_cell_that_trained_nothing_is_made_with_other_data(recipe: Recipe, tmp_path: Path) -> None:
    cell = plan(recipe, tmp_path / "out")[0]
    with pytest.raises(InputError, match="not finite in epoch 1"):
        make(change_rate(cell, 1e30))
    dataset = Dataset.load(cell.dataset)
    users = dataset.users.with_columns(user_id="v" + pl.col("user_id"))
    replace(dataset, users=users).save(tmp_path / "other")
    make(replace(cell, dataset=tmp_path / "other"))
    assert Dataset.load(cell.folder / "data").users.equals(users)


@pytest.mark.slow
def test_all_folders_in_the_way_are_named_at_once(recipe: Recipe, tmp_path: Path) -> None:
    recipe = recipe.model_copy(update={"seeds": (0, 1)})
    cells = plan(recipe, tmp_path)
    for cell in cells:
        make(cell)
    check_claims(cells)
    changed = [change_rate(cell, 1e-4) for cell in cells]
    at = tmp_path / "cells" / "tiny"
    assert f": {at / 'id' / 'seed-0'}; name" in message_of([changed[0], *cells[1:]])
    assert f": {at / 'id'}, {at / 'prism' / 'seed-0'}; name" in message_of([*changed[:3], cells[3]])
    assert f": {tmp_path / 'cells'}; name" in message_of(changed)


def test_what_was_done_is_told(recipe: Recipe, tmp_path: Path) -> None:
    cell = plan(recipe, tmp_path)[0]
    assert [make(cell), make(cell)] == ["done", "kept"]
    (cell.folder / RANKS).unlink()
    assert make(cell) == "tested again"


def message_of(cells: list[Cell]) -> str:
    with pytest.raises(InputError, match="begun with other settings or data") as caught:
        check_claims(cells)
    return str(caught.value)
