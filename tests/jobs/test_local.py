"""Jobs in processes of this machine."""

from pathlib import Path

import pytest

from comparison.test_processes import Notes
from comparison.tiny import cells, prepared, recipe
from jobs.killing import make_and_die_once
from prism_rec.comparison.plan import Cell
from prism_rec.errors import InputError
from prism_rec.jobs import local
from prism_rec.jobs.job import Workers
from prism_rec.jobs.local import LocalJobs
from prism_rec.tuning.tune import Tuned, tune
from tuning.conftest import alone
from tuning.searching import data, search_with, timeless

__all__ = ["alone", "cells", "data", "prepared", "recipe"]


@pytest.mark.slow
def test_a_killed_job_begins_again_if_it_may(cells: list[Cell]) -> None:
    notes, workers = Notes(), Workers(jobs=1, device="cpu")
    assert LocalJobs(restarts=1).run(cells[:1], make_and_die_once, workers, "cells", notes) == {}
    name = cells[0].name
    assert notes.lines == [
        f"{name}: its process ended with status -9; it begins again",
        f"{name}: continuing from epoch 3 of at most 3",
        f"{name}: done",
    ]


@pytest.mark.slow
def test_a_search_in_another_process_makes_the_same_trials(
    data: Path, alone: tuple[Tuned, Path], tmp_path: Path
) -> None:
    tuned = tune(search_with(), tmp_path / "out", data=data, device="cpu", engine=LocalJobs())
    assert timeless(tuned.results) == timeless(alone[0].results)
    with pytest.raises(InputError, match="was begun with other settings"):
        tune(search_with(train__epochs=2), tmp_path / "out", data=data, device="cpu", engine=LocalJobs())


def test_as_many_jobs_run_as_there_are_cores_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.os, "cpu_count", lambda: 7)
    assert LocalJobs().check(Workers(threads=2, device="cpu")).jobs == 3
    assert LocalJobs().check(Workers(threads=8, device="cpu")).jobs == 1
    assert LocalJobs().check(Workers(jobs=5, threads=8, device="cpu")).jobs == 5
