import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from comparison.made_up import compare_ranks
from prism_rec.comparison.report.page import write_report
from prism_rec.data import Dataset
from prism_rec.errors import FolderError, InputError
from prism_rec.events import Events
from prism_rec.folders import begin_folder, require_folder
from prism_rec.recommend.recommender import load
from prism_rec.records import MANIFEST
from prism_rec.runs.folder import RunFolder
from prism_rec.training import RunConfig
from prism_rec.tuning.study import _in_one_line
from prism_rec.tuning.tune import BEST, STUDY, TRIALS, Tuned, tune
from tuning.searching import VALUES, StopsAfter, search_with, timeless

LOG = "log.jsonl"


def test_a_search_leaves_its_trials_and_a_config_that_train_takes(
    alone: tuple[Tuned, Path], data: Path
) -> None:
    tuned, out = alone
    assert [result.number for result in tuned.results] == [0, 1, 2]
    assert {result.state for result in tuned.results} == {"complete"}
    assert len({tuple(result.chosen.values()) for result in tuned.results}) == 3
    assert tuned.best.value == max(result.value or 0 for result in tuned.results)
    assert RunConfig.parse(yaml.safe_load((out / BEST).read_text())) == tuned.settings
    assert tuned.settings.train.learning_rate == tuned.best.chosen["train.learning_rate"]
    rows = list(csv.DictReader((out / TRIALS).read_text().splitlines()))
    assert [float(row["ndcg@10"]) for row in rows] == [result.value for result in tuned.results]
    assert [row["train.optimizer"] for row in rows] == [o.chosen["train.optimizer"] for o in tuned.results]
    assert require_folder(out, "tune")["best"]["number"] == tuned.best.number
    for result in tuned.results:
        folder = out / "trials" / f"{result.number:03}"
        records = RunFolder(folder).read_log()
        assert result.best_epoch is not None
        assert result.value == records[result.best_epoch - 1].validation["ndcg@10"]
        assert result.value == max(record.validation["ndcg@10"] for record in records)
        assert (folder / MANIFEST).exists() == (result is tuned.best)
    assert load(out / "trials" / f"{tuned.best.number:03}").recommend([["i1", "i2"]], k=3).height == 3


@pytest.mark.slow
def test_what_stands_in_the_test_data_plays_no_part(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    dataset = Dataset.load(data)
    items = dataset.interactions["item"].to_numpy().copy()
    tests = dataset.histories.offsets[1:] - 1
    items[tests] = np.roll(items[tests], 1)
    other = replace(dataset, interactions=dataset.interactions.with_columns(item=pl.Series(items)))
    other.save(tmp_path / "other")
    tuned = tune(search_with(), tmp_path / "out", data=tmp_path / "other", device="cpu")
    assert (other.queries("test").targets != dataset.queries("test").targets).any()
    assert timeless(tuned.results) == timeless(alone[0].results)


@pytest.mark.parametrize("damage", ["last.safetensors", "config.json", "data/items.parquet"])
@pytest.mark.slow
def test_a_search_that_was_cut_off_and_damaged_ends_as_one_left_alone(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path, damage: str
) -> None:
    with pytest.raises(RuntimeError, match="stopped"):
        tune(search_with(), tmp_path, data=data, device="cpu", events=StopsAfter(trial=1, epoch=2))
    assert not (tmp_path / MANIFEST).exists()
    path = tmp_path / "trials" / "001" / damage
    content = path.read_bytes()
    path.unlink()  # the data's files are shared
    path.write_bytes(content[: len(content) // 2])
    tuned = tune(search_with(), tmp_path, data=data, device="cpu")
    assert timeless(tuned.results) == timeless(alone[0].results)
    assert tuned.settings == alone[0].settings


@pytest.mark.slow
def test_a_killed_search_goes_on_with_the_epoch_that_it_had(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, Path(__file__).parent / "searching.py", data, out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("1 2\n", ""):
            pass
        os.kill(process.pid, signal.SIGKILL)
    before = [record.seconds for record in RunFolder(out / "trials" / "001").read_log()]
    finished = (out / "trials" / "000" / LOG).stat().st_mtime_ns
    tuned = tune(search_with(), out, data=data, device="cpu")
    assert timeless(tuned.results) == timeless(alone[0].results)
    after = [record.seconds for record in RunFolder(out / "trials" / "001").read_log()]
    assert after[:2] == before[:2]
    assert (out / "trials" / "000" / LOG).stat().st_mtime_ns == finished


@pytest.mark.slow
def test_a_trial_whose_result_was_told_by_half_is_kept(data: Path, tmp_path: Path) -> None:
    import optuna

    tell = optuna.Study.tell

    with pytest.MonkeyPatch.context() as patch:

        def cut_off(self: Any, trial: Any, *rest: Any, **more: Any) -> Any:
            if trial == 1:
                raise RuntimeError("stopped")
            return tell(self, trial, *rest, **more)

        patch.setattr(optuna.Study, "tell", cut_off)
        with pytest.raises(RuntimeError, match="stopped"):
            tune(search_with(tune__trials=2), tmp_path, data=data, device="cpu")
    shutil.rmtree(tmp_path / "trials" / "001")  # it is not made again
    tuned = tune(search_with(tune__trials=2), tmp_path, data=data, device="cpu")
    assert [result.number for result in tuned.results] == [0, 1]
    assert not (tmp_path / "trials" / "001").exists()


class AsksForTheManifest(Events):
    """Does what another process may do at any time."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        require_folder(self.out, "tune")
        self.notes.append(line)


def test_a_finished_search_is_left_alone_and_more_trials_carry_it_on(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(alone[1], out)
    log = (out / "trials" / "002" / LOG).stat().st_mtime_ns
    written = {name: (out / name).stat().st_mtime_ns for name in (MANIFEST, STUDY, TRIALS, BEST)}
    asks = AsksForTheManifest(out)
    assert tune(search_with(), out, data=data, device="cpu", events=asks) == alone[0]
    assert asks.notes == [f"done before: {out}"]
    assert {name: (out / name).stat().st_mtime_ns for name in written} == written
    (out / BEST).unlink()
    assert tune(search_with(), out, data=data, device="cpu") == alone[0]
    assert require_folder(out, "tune")["best"]["number"] == alone[0].best.number
    more = tune(search_with(tune__trials=4), out, data=data, device="cpu")
    assert more.results[:3] == alone[0].results
    assert len(more.results) == 4
    assert (out / "trials" / "002" / LOG).stat().st_mtime_ns == log


def test_fewer_trials_than_there_are_would_have_the_best_of_a_larger_budget(
    alone: tuple[Tuned, Path], data: Path
) -> None:
    with pytest.raises(InputError, match="has 3 trials, more than `tune.trials`: 2; set at least") as caught:
        tune(search_with(tune__trials=2), alone[1], data=data, device="cpu")
    assert "\n" not in str(caught.value)
    require_folder(alone[1], "tune")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tune__seed": 1}, "`tune.seed` is 0 there and 1 here"),
        ({"train__batch_size": 8}, "`train.batch_size` is 16 there and 8 here"),
        ({"tune__prune_after": None}, "`tune.prune_after` is 10 there and None here"),
    ],
    ids=str,
)
@pytest.mark.slow
def test_other_settings_are_refused_and_leave_the_search_as_it_was(
    alone: tuple[Tuned, Path], data: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(FolderError, match=f"begun with other settings: {told}"):
        tune(search_with(**changes), alone[1], data=data, device="cpu")
    require_folder(alone[1], "tune")


@pytest.mark.slow
def test_a_report_needs_no_search_any_more(tmp_path: Path) -> None:
    """Another process may be carrying one on while the last cells are made."""
    comparison = compare_ranks({"id": [list(range(1, 31))], "prism": [list(range(1, 31))]}, base=VALUES)
    write_report(comparison, tmp_path)
    assert (tmp_path / "report.html").exists()


def damage_the_study(out: Path) -> None:
    (out / STUDY).write_bytes((out / STUDY).read_bytes()[:30_000])


def fill_with_noise(out: Path) -> None:
    (out / STUDY).write_bytes(b"no database" * 1000)


@pytest.mark.parametrize("damage", [damage_the_study, fill_with_noise])
def test_a_damaged_study_is_told_in_one_line(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(alone[1], out)
    damage(out)
    with pytest.raises(
        InputError,
        match=r"study.db .*; search again in another folder",
    ) as caught:
        tune(search_with(), out, data=data, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_search_in_python_is_silent_and_can_refuse_to_continue(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    search = search_with(tune__trials=1)
    tune(search, tmp_path, data=data, device="cpu", resume=False)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(FolderError, match="has earlier work in it"):
        tune(search, tmp_path, data=data, device="cpu", resume=False)


@pytest.mark.slow
def test_a_folder_with_files_of_others_in_a_trial_keeps_them(data: Path, tmp_path: Path) -> None:
    """A trial that is made again removes only what it made."""
    with pytest.raises(RuntimeError, match="stopped"):
        tune(search_with(), tmp_path, data=data, device="cpu", events=StopsAfter(trial=0, epoch=2))
    (tmp_path / "trials" / "000" / "notes.txt").write_text("precious")
    (tmp_path / "trials" / "000" / "last.safetensors").write_text("damaged")
    tune(search_with(), tmp_path, data=data, device="cpu")
    assert (tmp_path / "trials" / "000" / "notes.txt").read_text() == "precious"


def test_folders_of_others_and_links_are_neither_used_nor_deleted(data: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "trials" / "002").mkdir(parents=True)
    (tmp_path / "out" / "trials" / "002" / "thesis.txt").write_text("precious")
    with pytest.raises(FolderError, match="has trials, and tune was not begun there"):
        tune(search_with(), tmp_path / "out", data=data, device="cpu")
    (tmp_path / "precious").mkdir()
    begin_folder(tmp_path / "other", "tune", ["trials"])
    (tmp_path / "other" / "trials").mkdir()
    (tmp_path / "other" / "trials" / "000").symlink_to(tmp_path / "precious")
    with pytest.raises(FolderError, match="is a link or behind one"):
        tune(search_with(), tmp_path / "other", data=data, device="cpu")
    assert not any((tmp_path / "precious").iterdir())
    assert (tmp_path / "out" / "trials" / "002" / "thesis.txt").read_text() == "precious"


def test_a_study_in_use_is_waited_for_and_not_removed(tmp_path: Path) -> None:
    error = _in_one_line(RuntimeError("(sqlite3.OperationalError) database is locked"), tmp_path / STUDY)
    assert "in use by another program; wait for it" in str(error)
    assert "remove" not in str(error)
    error = _in_one_line(RuntimeError("attempt to write a readonly database"), tmp_path / STUDY)
    assert "cannot be written" in str(error)
    assert "remove" not in str(error)


def test_without_optuna_it_says_what_to_install(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'prism-rec\[tune\]'"):
        tune(search_with(), tmp_path / "out", data=data, device="cpu")
    assert not (tmp_path / "out").exists()


def test_the_folder_of_another_stage_is_refused(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "out")
    with pytest.raises(InputError, match="has another stage's output"):
        tune(search_with(), tmp_path / "out", data=data, device="cpu")
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["stage"] == "prepare"
