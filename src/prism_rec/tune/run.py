"""A search as a stage: trials one after another, and the best settings as a file that `train` takes.

study.db        the Optuna study
trials/NNN      of each trial its settings and log; of the best one the whole run
trials.csv      every trial: what it tried and what came of it
best.yaml       the best trial's settings
manifest.json   written last: a search without it is unfinished
"""

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from prism_rec.config import read_yaml
from prism_rec.data.dataset import Dataset
from prism_rec.devices import choose_device
from prism_rec.errors import InputError
from prism_rec.folders import MANIFEST, begin_folder, finish_folder, require_folder, write_text_atomically
from prism_rec.train import RunConfig
from prism_rec.train.run import CONFIG, LOG
from prism_rec.train.shared_data import fingerprint
from prism_rec.tune.attempt import Bench
from prism_rec.tune.search import Search, TuneConfig
from prism_rec.tune.study import Study, opened, require_optuna
from prism_rec.tune.trial import Outcome, SearchListener

STAGE = "tune"
STUDY = "study.db"
TRIALS = "trials.csv"
BEST = "best.yaml"


@dataclass(frozen=True)
class Tuned:
    """A finished search."""

    outcomes: tuple[Outcome, ...]
    best: Outcome
    settings: RunConfig
    """Of the best trial."""


def tune(
    search: Search, data: Path, out: Path, device: str = "auto", listener: SearchListener | None = None
) -> Tuned:
    """Make the trials that are still to be made, then write the best settings; test data is not looked at.

    Killed and called again it goes on where it was: trials that have ended are kept, the one that was cut off
    continues from its last epoch, or from its beginning where its folder is damaged. With more `trials` than before
    the search is carried on; a finished one is left as it is. Call it with the folder `locked`.

    Args:
        search: what to search.
        data: a prepared dataset.
        out: folder of the search.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is one.
        listener: hears of every trial and every epoch.

    Raises:
        InputError: no Optuna, settings that do not fit the data, a folder of something else or of more trials, a
            damaged study, data that is gone, or no trial that could be made.
    """
    require_optuna()
    choose_device(device)
    dataset = Dataset.load(data)
    search.settings({}).model.build(dataset.number_of_items, dataset.features)
    if not (out / STUDY).exists():
        begin_folder(out, STAGE)
    total, listener = search.tune.trials, listener or SearchListener()
    bench = Bench(search, data, dataset, out, device, listener)
    with opened(out / STUDY, search.tune) as study:
        _claim(study, search, data, out)
        outcomes = study.outcomes()
        if len(outcomes) > total:  # the best of them would be the best of a larger budget
            raise InputError(
                f"{out} holds {len(outcomes)} trials, more than tune.trials: {total}; set at least as many, or name "
                "another --out"
            )
        listener.on_trials(outcomes, total)
        finished = len(outcomes) == total and _is_whole(out)
        if not finished:  # one that is keeps its manifest, which others may be reading
            begin_folder(out, STAGE)
        while len(outcomes) < total:
            trial = study.ask()
            outcomes.append(bench.attempt(trial, len(outcomes)))
            study.tell(trial, outcomes[-1])
            _tidy(bench, outcomes)
            listener.on_trials(outcomes, total)
    tuned = _choose(search, outcomes)
    if not finished:
        _finish(search, tuned, data, out)
    return tuned


def best_of(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the complete trial with the highest metric, the first of equals; None if there is none."""
    complete = [outcome for outcome in outcomes if outcome.state == "complete"]
    return max(complete, key=lambda outcome: outcome.value or 0.0, default=None)


def read_best(folder: Path) -> RunConfig:
    """Return the settings that a finished search found.

    Raises:
        InputError: it is not finished, or damaged.
    """
    require_folder(folder, STAGE)
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
    elif _read_claim(study.claim, search.tune.trials) != _read_claim(ours, search.tune.trials):
        raise InputError(
            f"{out} was begun with other settings or data; name another --out, or remove that folder"
        )


def _read_claim(claim: dict[str, Any], trials: int) -> tuple[RunConfig, TuneConfig, dict[str, str]]:
    """Return what a claim says as settings, because one that a later version has added stands in no older claim."""
    return (
        RunConfig.parse(claim["config"]),
        TuneConfig.parse({**claim["tune"], "trials": trials}),
        claim["data"],
    )


def _tidy(bench: Bench, outcomes: Sequence[Outcome]) -> None:
    """Keep of all runs but the best their settings and logs alone."""
    best = best_of(outcomes)
    for outcome in outcomes:
        folder = bench.folder(outcome.number)
        if outcome is not best and folder.exists():
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in (CONFIG, LOG):
                    path.unlink()


def _is_whole(out: Path) -> bool:
    try:
        require_folder(out, STAGE)
    except InputError:
        return False
    return True


def _choose(search: Search, outcomes: Sequence[Outcome]) -> Tuned:
    best = best_of(outcomes)
    if best is None:
        raise InputError(f"{search.where}: no trial could be made, the first because {outcomes[0].why}")
    return Tuned(tuple(outcomes), best, search.settings(best.chosen))


def _finish(search: Search, tuned: Tuned, data: Path, out: Path) -> None:
    best, outcomes, settings = tuned.best, tuned.outcomes, tuned.settings
    metric = settings.train.metric
    text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    found = f"trial {best.number} of {len(outcomes)}, validation {metric} {best.value:.4f}"
    head = f"# Found by prism-rec tune: {found}. Test data was not looked at.\n"
    write_text_atomically(out / BEST, head + text)
    write_text_atomically(out / TRIALS, _as_csv(outcomes, metric))
    finish_folder(
        out,
        STAGE,
        {**search.base, "tune": search.tune.model_dump(mode="json")},
        [STUDY, TRIALS, BEST],
        [data / MANIFEST],
        best=best.model_dump(mode="json"),
    )


def _as_csv(outcomes: Sequence[Outcome], metric: str) -> str:
    file = io.StringIO()
    columns = ["trial", "state", metric, "best_epoch", "epochs", "seconds", *outcomes[0].chosen, "why"]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for one in outcomes:
        facts = [one.number, one.state, one.value, one.best_epoch, one.epochs, one.seconds]
        writer.writerow([*facts, *one.chosen.values(), one.why])
    return file.getvalue()
