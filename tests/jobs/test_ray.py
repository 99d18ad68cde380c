"""Cells and searches as tasks of two local Ray workers."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comparison.test_processes import Notes
from comparison.tiny import cells, make, prepared, recipe
from jobs.killing import fail, make_and_die_once
from prism_rec.comparison.cell import run_cell
from prism_rec.comparison.compare import compare
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import load_result
from prism_rec.errors import BusyError, InputError
from prism_rec.files import locked
from prism_rec.jobs.job import Workers
from prism_rec.jobs.ray import RayJobs
from prism_rec.tuning.tune import Tuned, tune
from tuning.conftest import alone
from tuning.searching import data, search_with, timeless

__all__ = ["alone", "cells", "data", "prepared", "recipe"]

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'prism-rec[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings
WORKERS = Workers(threads=1, device="cpu")


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves them for minutes on a busy machine
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # to jobs.killing
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_a_comparison_has_the_numbers_of_this_machine(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # workers began in another folder, and the paths are relative
    notes = Notes()
    compare(recipe, "ray", device="cpu", engine=RayJobs(), events=notes)
    assert sorted(notes.lines) == ["tiny/id/seed-0: done", "tiny/prism/seed-0: done"]
    assert notes.open == []
    compare(recipe, "local", device="cpu")
    for one, other in zip(plan(recipe, Path("ray")), plan(recipe, Path("local")), strict=True):
        assert (one.folder / "best.safetensors").read_bytes() == (
            other.folder / "best.safetensors"
        ).read_bytes()
        assert (one.folder / "ranks-test.npz").read_bytes() == (other.folder / "ranks-test.npz").read_bytes()


def test_a_killed_worker_costs_no_epoch(cells: list[Cell]) -> None:
    notes, (cell, _) = Notes(), cells
    assert RayJobs().run([cell], make_and_die_once, WORKERS, "cells", notes) == {}
    assert notes.lines == [
        f"{cell.name}: its Ray worker has ended (WorkerCrashedError); it begins again",
        f"{cell.name}: continuing from epoch 3 of at most 3",
        f"{cell.name}: done",
    ]
    made = load_result(cell.folder)
    whole = plan_elsewhere(cell)
    make(whole)
    expected = load_result(whole.folder)
    assert made is not None
    assert expected is not None
    assert (made.test, made.ranks_sha256) == (expected.test, expected.ranks_sha256)


def plan_elsewhere(cell: Cell) -> Cell:
    """Return the same cell in another folder."""
    return Cell(**{**vars(cell), "folder": cell.folder.with_name("elsewhere")})


def test_a_worker_that_is_killed_too_often_fails(cells: list[Cell]) -> None:
    failures = RayJobs(restarts=0).run(cells[:1], make_and_die_once, WORKERS, "cells")
    assert failures == {cells[0].name: "its Ray worker has ended (WorkerCrashedError)"}


def test_an_error_of_the_program_fails_its_job_only(cells: list[Cell]) -> None:
    notes = Notes()
    failures = RayJobs().run(cells[:1], fail, WORKERS, "cells", notes)
    assert failures == {cells[0].name: f"an error of the program: KeyError('{cells[0].name}')"}
    assert RayJobs().run(cells[1:], run_cell, WORKERS, "cells", notes) == {}


def test_an_interrupt_ends_the_workers(cells: list[Cell]) -> None:
    class Interrupts(Notes):
        def begin(self, task: str, total: int | None = None) -> None:
            if "training" in task:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RayJobs().run(cells[:1], run_cell, WORKERS, "cells", Interrupts())
    for _ in range(600):
        try:
            with locked(cells[0].folder):
                break
        except BusyError:
            time.sleep(0.1)
    else:
        raise AssertionError("the worker holds the folder still")
    assert load_result(cells[0].folder) is None


def test_jobs_that_no_node_has_room_for_are_refused(cells: list[Cell]) -> None:
    with pytest.raises(InputError, match="no node of the Ray cluster has 3 CPUs.*set 2 at most"):
        RayJobs().run(cells, run_cell, Workers(threads=3, device="cpu"), "cells")
    with pytest.raises(InputError, match="device: Ray gives each job a GPU of its own; set cuda"):
        RayJobs().run(cells, run_cell, Workers(device="cuda:1"), "cells")
    with pytest.raises(InputError, match="device: no node of the Ray cluster has a GPU"):
        RayJobs().run(cells, run_cell, Workers(device="cuda"), "cells")


def test_a_search_makes_the_trials_of_this_process(
    data: Path, alone: tuple[Tuned, Path], tmp_path: Path
) -> None:
    notes = Notes()
    tuned = tune(search_with(), tmp_path / "out", data=data, device="cpu", engine=RayJobs(), events=notes)
    assert timeless(tuned.results) == timeless(alone[0].results)
    assert (tmp_path / "out" / "best.yaml").read_bytes() == (alone[1] / "best.yaml").read_bytes()
    assert notes.lines[-1] == "out: done"
