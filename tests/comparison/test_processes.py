"""Cells in processes of their own: killed, locked, and shared by two commands."""

import json
import os
import signal
import threading
from collections.abc import Mapping
from multiprocessing import active_children
from pathlib import Path

import pytest

from comparison.tiny import make
from locks import held_elsewhere
from prism_rec.comparison.cell import run_cell
from prism_rec.comparison.compare import compare
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import load_result
from prism_rec.errors import BusyError
from prism_rec.events import Events, Fact
from prism_rec.files import locked
from prism_rec.folders import begin_folder
from prism_rec.jobs.job import Workers
from prism_rec.jobs.local import LocalJobs

RESULT = "result.json"
ONE = Workers(jobs=1, threads=1, device="cpu")


class Notes(Events):
    """Keeps notes on the progress of cells, not those on their data, and the tasks that have begun and not ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open: list[str] = []

    def begin(self, task: str, total: int | None = None) -> None:
        self.open.append(task)

    def end(self, task: str) -> None:
        self.open.remove(task)

    def note(self, line: str) -> None:
        if ": note: " not in line:
            self.lines.append(line)


def test_a_locked_cell_is_for_one_process_alone(cells: list[Cell]) -> None:
    with (
        held_elsewhere(cells[0].folder),
        pytest.raises(BusyError),
        locked(cells[0].folder, wait=False),
    ):
        pass
    with locked(cells[0].folder, wait=False):
        pass


@pytest.mark.slow
def test_a_killed_cell_costs_itself_alone_and_goes_on(
    recipe: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train = {**recipe.base["train"], "epochs": 12, "patience": 12}
    recipe = recipe.model_copy(update={"base": {**recipe.base, "train": train}, "jobs": 1})
    id_alone, prism = plan(recipe, tmp_path / "killed")
    begin_folder(tmp_path / "killed", "compare", ["cells", "data"])

    class KillsPrism(Notes):
        def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
            if task == f"{prism.name}: training" and facts and facts["epoch"] == "3 of 12":
                (child,) = active_children()
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)

    kills = KillsPrism()
    failures = LocalJobs().run([id_alone, prism], run_cell, ONE, "cells", kills)
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


@pytest.mark.slow
def test_two_processes_on_one_folder_share_the_work(recipe: Recipe, tmp_path: Path) -> None:
    cells = plan(recipe, tmp_path / "out")
    first = threading.Event()

    class Hears(Notes):
        def note(self, line: str) -> None:
            super().note(line)
            if self.lines:
                first.set()

    notes = Hears()
    with locked(cells[1].folder, wait=False):  # as another process would that makes this cell
        ours = threading.Thread(
            target=LocalJobs().run, args=(cells, run_cell, ONE, "cells", notes), daemon=True
        )
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
