"""The stage `tune`: trials one after another, and the best settings as a file that `train` takes.

study.db        the Optuna study
trials/NNN      settings and log of every trial; the whole run of the best one
trials.csv      every trial: what it tried and reached
best.yaml       the settings of the best trial
manifest.json   written last: a search without it is unfinished
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from prism_rec.config import name_difference, read_yaml
from prism_rec.devices import choose_device
from prism_rec.errors import DamagedError, FolderError, InputError
from prism_rec.events import Events, Fact
from prism_rec.files import locked, write_text_atomically
from prism_rec.folders import (
    begin_folder,
    check_empty,
    check_folder,
    finish_folder,
    is_finished,
    refuse_links,
    require_folder,
)
from prism_rec.inputs import checked
from prism_rec.jobs.job import Workers
from prism_rec.jobs.settings import JobEngineConfig
from prism_rec.records import MANIFEST
from prism_rec.runs.shared_data import SharedData, fingerprint
from prism_rec.training.config import RunConfig
from prism_rec.tuning.attempt import Bench
from prism_rec.tuning.result import TrialResult
from prism_rec.tuning.search import Search, TuneConfig
from prism_rec.tuning.study import Study, opened, require_optuna

STAGE = "tune"
STUDY = "study.db"
TRIALS = "trials.csv"
BEST = "best.yaml"
FOLDERS = ("data", "trials")
NAMES = (STUDY, TRIALS, BEST, *FOLDERS)
TASK = "trials"
"""Name of the task that `tune` reports to its events."""


@dataclass(frozen=True)
class Tuned:
    """A finished search."""

    results: tuple[TrialResult, ...]
    """All trials in their order."""
    best: TrialResult
    """The best of them."""
    settings: RunConfig
    """The settings of the best trial."""
    made: int = field(compare=False)
    """Number of trials that were made now; 0 if the search was finished before."""


@checked
def tune(
    search: Search,
    out: Path | str,
    *,
    data: Path | str,
    device: str = "auto",
    engine: JobEngineConfig | None = None,
    resume: bool = True,
    events: Events = Events(),
) -> Tuned:
    """Search for settings and write the best ones. Test data is not used.

    A search that was interrupted continues: finished trials are kept, and the interrupted trial continues from its last
    epoch, or from its beginning if its folder is damaged. With more `tune.trials` than before, a search is extended.
    A finished one is kept.

    Args:
        search: what to search; see `Search.parse`.
        out: folder of the search.
        data: folder of a prepared dataset.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        engine: runs the search in another process, with as many threads as this one: of this machine, or as a task of
            Ray. None: in this process. Its trials are the same.
        resume: continue or read a search that the folder has; if false, a folder with any content is refused.
        events: progress and notes.

    Raises:
        FolderError: the folder has something else, a search with other settings or data, or one with more trials.
        InputError: Optuna is not installed, the settings do not fit the data, another process works in the folder, or
            no trial succeeded.
    """
    out = Path(out)
    require_optuna()
    check_folder(out, STAGE, [Path(data)])
    if not resume:
        check_empty(out)
    if engine is not None:
        job = SearchJob(out.name, search, Path(data), out)
        workers = Workers(1, torch.get_num_threads(), device)
        for why in engine.run([job], run_search, workers, "searches", events).values():
            raise InputError(why)
        events = Events()  # it has said everything
    with locked(out):
        tuned = run_trials(search, Path(data), out, device, events)
    if not tuned.made:
        events.note(f"done before: {out}")
    return tuned


@dataclass(frozen=True)
class SearchJob:
    """A search that an engine runs in another process."""

    name: str
    """What messages call the search."""
    search: Search
    """The search."""
    dataset: Path
    """Folder of the dataset."""
    folder: Path
    """Folder of the search."""


def run_search(job: SearchJob, device: str, threads: int, events: Events) -> str:
    """Make the trials that are missing. Call it with the search's folder `locked`.

    Returns:
        What was done, for people.

    Raises:
        InputError: see `tune`.
    """
    torch.set_num_threads(threads)
    return "done" if run_trials(job.search, job.dataset, job.folder, device, events).made else "kept"


def run_trials(search: Search, data: Path, out: Path, device: str, events: Events) -> Tuned:
    """Search in a folder that is `locked` already."""
    choose_device(device)
    bench = Bench(search, SharedData(data, out / "data"), out, device, events)
    dataset = bench.data.dataset
    dataset.require_targets("validation")
    search.settings({}).model.build(dataset.number_of_items, dataset.features)
    for folder in FOLDERS:
        refuse_links(out, folder)
    _begin(out)
    with opened(out / STUDY, search.tune) as study:
        _claim(study, search, data, out)
        results = study.results()
        total, finished = search.tune.trials, len(results) == search.tune.trials and is_finished(out, STAGE)
        if len(results) > total:  # the best of them would be the best of a larger budget
            raise FolderError(
                f"{out} has {len(results)} trials, more than `tune.trials`: {total}; set at least as many, or name "
                "another folder"
            )
        made = total - len(results)
        if not finished:  # a finished one keeps its manifest, because other processes may be reading it
            begin_folder(out, STAGE, NAMES)
            _make_trials(bench, study, results)
    tuned = _choose(search, results, made)
    if not finished:
        _finish(search, tuned, data, out)
    return tuned


def _begin(out: Path) -> None:
    """Claim the folder; the study of a finished search is compared with its hash."""
    if not ((out / MANIFEST).exists() and (out / STUDY).exists()):
        begin_folder(out, STAGE, NAMES)
        return
    try:
        require_folder(out, STAGE, STUDY)
    except DamagedError as error:
        if (out / STUDY).name in str(error):
            raise DamagedError(f"{str(error).rpartition(';')[0]}; search again in another folder") from None


def _make_trials(bench: Bench, study: Study, results: list[TrialResult]) -> None:
    """Make the trials that are missing, and add their results."""
    events, total, metric = bench.events, bench.search.tune.trials, bench.search.settings({}).train.metric
    if 0 < len(results) < total:
        events.note(f"continuing with trial {len(results)} of {total}")
    events.begin(TASK, total)
    events.advance(TASK, len(results), _facts(results, metric))
    _tidy(bench, results)  # a process that was killed may not have
    while len(results) < total:
        trial = study.ask()
        results.append(bench.attempt(trial, len(results)))
        study.tell(trial, results[-1])
        _tidy(bench, results)
        events.note(results[-1].describe(metric))
        events.advance(TASK, 1, _facts(results, metric))
    events.end(TASK)


def _facts(results: Sequence[TrialResult], metric: str) -> dict[str, Fact]:
    best = best_of(results)
    return {f"best {metric}": best.value} if best else {}


def best_of(results: Sequence[TrialResult]) -> TrialResult | None:
    """Return the complete trial with the highest metric, the first of equals; None if there is none."""
    complete = [result for result in results if result.state == "complete"]
    return max(complete, key=lambda result: result.value or 0.0, default=None)


def read_best(folder: Path) -> RunConfig:
    """Return the settings that a finished search found.

    Raises:
        FolderError: the search is not finished, or its folder is damaged.
    """
    require_folder(folder, STAGE, BEST)
    return RunConfig.parse(read_yaml(folder / BEST), str(folder / BEST))


def _claim(study: Study, search: Search, data: Path, out: Path) -> None:
    """Make the study this search's own, or check that it is; the number of trials may change."""
    ours = {
        "config": search.settings({}).model_dump(mode="json"),
        "tune": search.tune.model_dump(mode="json"),
        "data": fingerprint(data),
    }
    if study.claim is None:
        study.claim = ours
        return
    # Settings are compared, not values: an older claim lacks a setting that a later version has added.
    config, section, files = _read_claim(study.claim, search.tune.trials)
    difference = name_difference(config, search.settings({})) or name_difference(section, search.tune, "tune")
    if difference:
        raise FolderError(
            f"{out} was begun with other settings: {difference}; name another folder, or use the same settings"
        )
    if files != ours["data"]:
        raise FolderError(f"{out} was begun on other data; name another folder, or use the same data")


def _read_claim(claim: dict[str, Any], trials: int) -> tuple[RunConfig, TuneConfig, dict[str, str]]:
    return (
        RunConfig.parse(claim["config"]),
        TuneConfig.parse({**claim["tune"], "trials": trials}),
        claim["data"],
    )


def _tidy(bench: Bench, results: Sequence[TrialResult]) -> None:
    """Keep only settings and log of every run but the best."""
    best = best_of(results)
    for result in results:
        if result is not best:
            folder = bench.folder(result.number)
            folder.remove(folder.config, folder.log)


def _choose(search: Search, results: Sequence[TrialResult], made: int) -> Tuned:
    best = best_of(results)
    if best is None:
        raise InputError(f"{search.where}: no trial succeeded; the first failed because {results[0].why}")
    return Tuned(tuple(results), best, search.settings(best.chosen), made)


def _finish(search: Search, tuned: Tuned, data: Path, out: Path) -> None:
    best, results, settings = tuned.best, tuned.results, tuned.settings
    metric = settings.train.metric
    text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    found = f"trial {best.number} of {len(results)}, validation {metric} {best.value:.4f}"
    head = f"# Found by prism-rec tune: {found}. Test data was not used.\n"
    write_text_atomically(out / BEST, head + text)
    write_text_atomically(out / TRIALS, _as_csv(results, metric))
    finish_folder(
        out,
        STAGE,
        {**search.base, "tune": search.tune.model_dump(mode="json")},
        [STUDY, TRIALS, BEST],
        [data / MANIFEST],
        kept=FOLDERS,
        best=best.model_dump(mode="json"),
    )


def _as_csv(results: Sequence[TrialResult], metric: str) -> str:
    file = io.StringIO()
    columns = ["trial", "state", metric, "best_epoch", "epochs", "seconds", *results[0].chosen, "why"]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for one in results:
        facts = [one.number, one.state, one.value, one.best_epoch, one.epochs, one.seconds]
        writer.writerow([*facts, *one.chosen.values(), one.why])
    return file.getvalue()
