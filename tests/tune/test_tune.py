import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from compare.made_up import compare_ranks
from prism_rec.cli.app import app
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.folders import MANIFEST, locked, require_folder
from prism_rec.recommend import load
from prism_rec.report import write_report
from prism_rec.train import RunConfig
from prism_rec.train.listeners import read_log
from prism_rec.train.run import LOG
from prism_rec.tune import Outcome, Search, SearchListener, Tuned, tune
from prism_rec.tune.attempt import Bench
from prism_rec.tune.run import BEST, STUDY, TRIALS
from tune.searching import VALUES, StopsAfter, search_with, timeless


def test_a_search_leaves_its_trials_and_a_config_that_train_takes(
    alone: tuple[Tuned, Path], data: Path
) -> None:
    tuned, out = alone
    assert [outcome.number for outcome in tuned.outcomes] == [0, 1, 2]
    assert {outcome.state for outcome in tuned.outcomes} == {"complete"}
    assert len({tuple(outcome.chosen.values()) for outcome in tuned.outcomes}) == 3
    assert tuned.best.value == max(outcome.value or 0 for outcome in tuned.outcomes)
    assert RunConfig.parse(yaml.safe_load((out / BEST).read_text())) == tuned.settings
    assert tuned.settings.train.learning_rate == tuned.best.chosen["train.learning_rate"]
    rows = list(csv.DictReader((out / TRIALS).read_text().splitlines()))
    assert [float(row["ndcg@10"]) for row in rows] == [outcome.value for outcome in tuned.outcomes]
    assert [row["train.optimizer"] for row in rows] == [o.chosen["train.optimizer"] for o in tuned.outcomes]
    assert require_folder(out, "tune")["best"]["number"] == tuned.best.number
    for outcome in tuned.outcomes:
        folder = out / "trials" / f"{outcome.number:03}"
        records = read_log(folder / LOG)
        assert outcome.best_epoch is not None
        assert outcome.value == records[outcome.best_epoch - 1].validation["ndcg@10"]
        assert outcome.value == max(record.validation["ndcg@10"] for record in records)
        assert (folder / MANIFEST).exists() == (outcome is tuned.best)
    assert load(out / "trials" / f"{tuned.best.number:03}").recommend([["i1", "i2"]], k=3).height == 3


def test_what_stands_in_the_test_data_plays_no_part(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    dataset = Dataset.load(data)
    items = dataset.interactions["item"].to_numpy().copy()
    tests = dataset.histories.offsets[1:] - 1
    items[tests] = np.roll(items[tests], 1)
    other = replace(dataset, interactions=dataset.interactions.with_columns(item=pl.Series(items)))
    other.save(tmp_path / "other")
    tuned = tune(search_with(), tmp_path / "other", tmp_path / "out", "cpu")
    assert (other.queries("test").targets != dataset.queries("test").targets).any()
    assert timeless(tuned.outcomes) == timeless(alone[0].outcomes)


@pytest.mark.parametrize("damage", ["last.safetensors", "config.json", "data/items.parquet"])
def test_a_search_that_was_cut_off_and_damaged_ends_as_one_left_alone(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path, damage: str
) -> None:
    with pytest.raises(RuntimeError, match="stopped"):
        tune(search_with(), data, tmp_path, "cpu", StopsAfter(trial=1, epoch=2))
    assert not (tmp_path / MANIFEST).exists()
    path = tmp_path / "trials" / "001" / damage
    content = path.read_bytes()
    path.unlink()  # the data's files are shared
    path.write_bytes(content[: len(content) // 2])
    tuned = tune(search_with(), data, tmp_path, "cpu")
    assert timeless(tuned.outcomes) == timeless(alone[0].outcomes)
    assert tuned.settings == alone[0].settings


def test_a_killed_search_goes_on_with_the_epoch_that_it_had(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, Path(__file__).parent / "searching.py", data, out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(5):  # the second epoch of the second trial
            assert process.stdout is not None
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    before = [record.seconds for record in read_log(out / "trials" / "001" / LOG)]
    finished = (out / "trials" / "000" / LOG).stat().st_mtime_ns
    tuned = tune(search_with(), data, out, "cpu")
    assert timeless(tuned.outcomes) == timeless(alone[0].outcomes)
    after = [record.seconds for record in read_log(out / "trials" / "001" / LOG)]
    assert after[:2] == before[:2]
    assert (out / "trials" / "000" / LOG).stat().st_mtime_ns == finished


def test_a_trial_whose_outcome_was_told_by_half_is_kept(data: Path, tmp_path: Path) -> None:
    import optuna

    tell, outcomes = optuna.Study.tell, []

    class Keeps(SearchListener):
        def on_trials(self, done: Sequence[Outcome], total: int) -> None:
            outcomes[:] = done

    with pytest.MonkeyPatch.context() as patch:

        def cut_off(self: Any, trial: Any, *rest: Any, **more: Any) -> Any:
            if trial == 1:
                raise RuntimeError("stopped")
            return tell(self, trial, *rest, **more)

        patch.setattr(optuna.Study, "tell", cut_off)
        with pytest.raises(RuntimeError, match="stopped"):
            tune(search_with(tune__trials=2), data, tmp_path, "cpu")
    shutil.rmtree(tmp_path / "trials" / "001")  # it is not made again
    tuned = tune(search_with(tune__trials=2), data, tmp_path, "cpu", Keeps())
    assert [outcome.number for outcome in tuned.outcomes] == [0, 1]
    assert outcomes == list(tuned.outcomes)


class AsksForTheManifest(SearchListener):
    """Does what another process may do at any time."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        require_folder(self.out, "tune")


def test_a_finished_search_is_left_alone_and_more_trials_carry_it_on(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(alone[1], out)
    log = (out / "trials" / "002" / LOG).stat().st_mtime_ns
    written = {name: (out / name).stat().st_mtime_ns for name in (MANIFEST, STUDY, TRIALS, BEST)}
    assert tune(search_with(), data, out, "cpu", AsksForTheManifest(out)) == alone[0]
    assert {name: (out / name).stat().st_mtime_ns for name in written} == written
    (out / BEST).unlink()
    assert tune(search_with(), data, out, "cpu") == alone[0]
    assert require_folder(out, "tune")["best"]["number"] == alone[0].best.number
    more = tune(search_with(tune__trials=4), data, out, "cpu")
    assert more.outcomes[:3] == alone[0].outcomes
    assert len(more.outcomes) == 4
    assert (out / "trials" / "002" / LOG).stat().st_mtime_ns == log


def test_fewer_trials_than_there_are_would_have_the_best_of_a_larger_budget(
    alone: tuple[Tuned, Path], data: Path
) -> None:
    with pytest.raises(InputError, match="holds 3 trials, more than tune.trials: 2; set at least") as caught:
        tune(search_with(tune__trials=2), data, alone[1], "cpu")
    assert "\n" not in str(caught.value)
    require_folder(alone[1], "tune")


@pytest.mark.parametrize(
    "changes", [{"tune__seed": 1}, {"train__batch_size": 8}, {"tune__prune_after": None}], ids=str
)
def test_other_settings_are_refused_and_leave_the_search_as_it_was(
    alone: tuple[Tuned, Path], data: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="begun with other settings or data"):
        tune(search_with(**changes), data, alone[1], "cpu")
    require_folder(alone[1], "tune")


class Stubborn:
    """Proposes what it is given, and is content with so many validations."""

    def __init__(self, chosen: dict[str, Any], content_with: int = 99) -> None:
        self.chosen, self.content_with = chosen, content_with
        self.reports: list[tuple[float, int]] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> Any:
        return self.chosen.get(name, low)

    def suggest_int(self, name: str, low: int, high: int) -> Any:
        return self.chosen.get(name, low)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self.chosen.get(name, choices[0])

    def report(self, value: float, step: int) -> None:
        self.reports.append((value, step))

    def should_prune(self) -> bool:
        return len(self.reports) >= self.content_with


def bench(search: Search, data: Path, out: Path) -> Bench:
    return Bench(search, data, Dataset.load(data), out, "cpu", SearchListener())


def test_a_trial_that_falls_behind_is_cut_short(data: Path, tmp_path: Path) -> None:
    place = bench(search_with(train__epochs=4, train__validate_every=2, train__patience=9), data, tmp_path)
    whole = place.attempt(Stubborn({}), 0)
    assert (whole.state, whole.epochs) == ("complete", 4)
    for _ in range(2):  # and once more, where it was cut off before its outcome was told
        trial = Stubborn({}, content_with=1)
        cut = place.attempt(trial, 1)
        assert (cut.state, cut.epochs, cut.best_epoch) == ("pruned", 2, 2)
        assert trial.reports == [(cut.value, 2)]
    trial = Stubborn({})
    assert place.attempt(trial, 0) == whole  # found whole, and its epochs are reported all the same
    assert [step for _, step in trial.reports] == [2, 4]


def test_a_report_needs_no_search_any_more(tmp_path: Path) -> None:
    """Another process may be carrying one on while the last cells are made."""
    comparison = compare_ranks({"id": [list(range(1, 31))], "prism": [list(range(1, 31))]}, base=VALUES)
    write_report(comparison, tmp_path)
    assert (tmp_path / "report.html").exists()


def test_slow_starters_are_compared_with_the_median_of_five(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sixth trial, which learns nothing, is cut short, and not before it may be."""
    rates = [0.03] * 5 + [1e-9]

    def propose(self: Search, trial: Any) -> dict[str, Any]:
        done = len(list((tmp_path / "trials").iterdir())) if (tmp_path / "trials").exists() else 0
        return {"train.learning_rate": rates[done]}

    monkeypatch.setattr(Search, "propose", propose)
    search = search_with(tune__trials=6, tune__prune_after=2, train__epochs=6, train__patience=6)
    tuned = tune(search, data, tmp_path, "cpu")
    assert [outcome.state for outcome in tuned.outcomes] == ["complete"] * 5 + ["pruned"]
    assert tuned.outcomes[5].epochs == 3
    assert (tmp_path / "trials" / "005" / LOG).exists()


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
    with pytest.raises(InputError, match=r"study.db cannot be used: .*; remove it to begin") as caught:
        tune(search_with(), data, out, "cpu")
    assert "\n" not in str(caught.value)


def test_the_command_searches_and_says_what_it_found(data: Path, tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(VALUES, sort_keys=False))
    words = ["tune", str(tmp_path / "search.yaml"), "--data", str(data), "--out", str(tmp_path / "out")]
    words += ["--set", "tune.trials=2", "--device", "cpu"]
    with (
        locked(tmp_path / "out", wait=False),
        pytest.raises(InputError, match="another process is searching"),
    ):
        CliRunner().invoke(app, words, catch_exceptions=False)
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    with pytest.raises(InputError, match="has another stage's output"):
        CliRunner().invoke(app, [*words, "--out", str(data)], catch_exceptions=False)
    assert not (data / "lock").exists()
    assert "best of 2: trial" in result.stdout
    assert f"prism-rec train {tmp_path / 'out' / BEST}" in result.stdout
    assert "trial 1: ndcg@10" in result.stderr


def test_without_optuna_it_says_what_to_install(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'prism-rec\[tune\]'"):
        tune(search_with(), data, tmp_path / "out", "cpu")
    assert not (tmp_path / "out").exists()


def test_the_folder_of_another_stage_is_refused(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "out")
    with pytest.raises(InputError, match="has another stage's output"):
        tune(search_with(), data, tmp_path / "out", "cpu")
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["stage"] == "prepare"
