"""One trial: a training run that ends early if earlier trials did better."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prism_rec.errors import DivergedError, InputError, MachineError
from prism_rec.events import Events
from prism_rec.folders import refuse_links
from prism_rec.machine import is_out_of_memory
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.shared_data import SharedData
from prism_rec.runs.train import train
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import EpochRecord, best_epoch
from prism_rec.tuning.ranges import Suggests
from prism_rec.tuning.result import TrialResult
from prism_rec.tuning.search import Search

OUT_OF_MEMORY = "it ran out of memory; a smaller model or train.batch_size needs less"


class Trial(Suggests, Protocol):
    """The part of an Optuna trial that is used here."""

    def report(self, value: float, step: int) -> None:
        """Take note of an epoch's metric."""

    def should_prune(self) -> bool:
        """Return whether earlier trials did better by this epoch."""


@dataclass(frozen=True)
class Bench:
    """Makes trials of one search on one dataset."""

    search: Search
    data: SharedData
    out: Path
    device: str
    events: Events = Events()

    def folder(self, number: int) -> RunFolder:
        """Return the run folder of a trial."""
        return RunFolder(self.out / "trials" / f"{number:03}")

    def attempt(self, trial: Trial, number: int) -> TrialResult:
        """Train with the settings that a trial proposes; continue from the last epoch if its folder was begun before.

        Raises:
            InputError: something is wrong with the data or the folder. The settings are not the cause, so the error
                says nothing about the trial.
        """
        chosen, features = self.search.propose(trial), self.data.dataset.features
        try:
            config = self.search.settings(chosen)
            config.model.check_fit(features)
        except InputError as error:
            return TrialResult(number=number, state="refused", chosen=chosen, why=str(error))
        refuse_links(self.out, f"trials/{number:03}")
        state, why = self._train(config, trial, self.folder(number))
        records = self.folder(number).read_log()
        best = best_epoch(records, config.train.metric)
        return TrialResult(
            number=number,
            state=state,
            chosen=chosen,
            value=records[best - 1].validation[config.train.metric] if best else None,
            best_epoch=best,
            epochs=len(records),
            seconds=round(sum(record.seconds for record in records), 3),
            why=why,
        )

    def _train(self, config: RunConfig, trial: Trial, folder: RunFolder) -> tuple[str, str]:
        """Return the trial's state and, if it failed, why."""
        reporter = _Reporter(trial, config.train.metric)
        try:
            train(
                config,
                folder.path,
                data=self.data,
                device=self.device,
                after_epoch=reporter.report_and_ask,
                events=self.events,
            )
        except _PrunedError:
            return "pruned", ""
        except DivergedError as error:
            return "failed", str(error)
        except MachineError as error:
            if not (isinstance(error.__cause__, Exception) and is_out_of_memory(error.__cause__)):
                raise
            return "failed", OUT_OF_MEMORY
        reporter.report(folder.read_log())  # a run that was finished before has reported nothing
        return "complete", ""


class _PrunedError(Exception):
    """Earlier trials did better."""


class _Reporter:
    """Reports each validation once, and ends training if the trial says so."""

    def __init__(self, trial: Trial, metric: str) -> None:
        self.trial = trial
        self.metric = metric
        self.reported = 0

    def report(self, records: Sequence[EpochRecord]) -> None:
        """Report the validations that have not been reported."""
        for record in records[self.reported :]:
            if record.validation:
                self.trial.report(record.validation[self.metric], record.epoch)
        self.reported = max(self.reported, len(records))

    def report_and_ask(self, records: Sequence[EpochRecord]) -> None:
        """Report, then end training if it falls behind."""
        self.report(records)
        if records[-1].validation and self.trial.should_prune():
            raise _PrunedError
