"""The making of one trial: a training run that is told to end where others did better."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prism_rec.data.dataset import Dataset
from prism_rec.devices import is_out_of_memory
from prism_rec.errors import DivergedError, InputError
from prism_rec.train import EpochRecord, Listener, RunConfig, train_run
from prism_rec.train.listeners import read_log
from prism_rec.train.loop import best_epoch
from prism_rec.train.run import DATA, LOG
from prism_rec.train.shared_data import link_dataset
from prism_rec.tune.ranges import Suggests
from prism_rec.tune.search import Search
from prism_rec.tune.trial import Outcome

OUT_OF_MEMORY = "it ran out of memory; a smaller model or train.batch_size needs less"


class Trial(Suggests, Protocol):
    """What a trial of Optuna does."""

    def report(self, value: float, step: int) -> None:
        """Take note of an epoch's metric."""

    def should_prune(self) -> bool:
        """Tell whether trials before did better by this epoch."""


@dataclass(frozen=True)
class Bench:
    """Where trials are made: on one dataset, in one folder, on one device."""

    search: Search
    data: Path
    dataset: Dataset
    out: Path
    device: str
    listener: Listener

    def folder(self, number: int) -> Path:
        """Return the run folder of a trial."""
        return self.out / "trials" / f"{number:03}"

    def attempt(self, trial: Trial, number: int) -> Outcome:
        """Train with what a trial proposes; where its folder was begun already, from the last epoch on.

        Raises:
            InputError: about the data or the folder. No setting is to blame for it, so it says nothing of the trial.
        """
        chosen = self.search.propose(trial)
        try:
            config = self.search.settings(chosen)
            config.model.check_fit(self.dataset.features)
        except InputError as error:
            return Outcome(number=number, state="refused", chosen=chosen, why=str(error))
        log = self.folder(number) / LOG
        state, why = self._train(config, trial, self.folder(number))
        records = read_log(log) if log.exists() else ()
        best = best_epoch(records, config.train.metric)
        return Outcome(
            number=number,
            state=state,
            chosen=chosen,
            value=records[best - 1].validation[config.train.metric] if best else None,
            best_epoch=best,
            epochs=len(records),
            seconds=round(sum(record.seconds for record in records), 3),
            why=why,
        )

    def _train(self, config: RunConfig, trial: Trial, folder: Path) -> tuple[str, str]:
        """Return the trial's state and, if it failed, why."""
        reporter = _Reporter(trial, config.train.metric)
        begun = folder.exists()
        if config.features == "given":  # a control has features of its own
            link_dataset(self.data, self.out / "data", folder / DATA)
        try:
            train_run(self.dataset, config, folder, True, self.device, [reporter, self.listener])
        except _CutShortError:
            return "pruned", ""
        except DivergedError as error:
            return "failed", str(error)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return "failed", OUT_OF_MEMORY
        except InputError:
            if not begun:
                raise
            shutil.rmtree(folder)  # damaged, or of another version's proposal
            return self._train(config, trial, folder)
        reporter.report(read_log(folder / LOG))  # a run that was whole already has told nobody of its epochs
        return "complete", ""


class _CutShortError(Exception):
    """Others did better."""


class _Reporter(Listener):
    """Reports each validation once, and ends training where the trial says so."""

    def __init__(self, trial: Trial, metric: str) -> None:
        self.trial = trial
        self.metric = metric
        self.reported = 0

    def report(self, records: Sequence[EpochRecord]) -> None:
        """Report what has not been reported."""
        for record in records[self.reported :]:
            if record.validation:
                self.trial.report(record.validation[self.metric], record.epoch)
        self.reported = max(self.reported, len(records))

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Report, then ask."""
        self.report(records)
        if records[-1].validation and self.trial.should_prune():
            raise _CutShortError
