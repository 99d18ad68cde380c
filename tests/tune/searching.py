"""A search whose trials take a moment; as a script, one that can be killed: searching.py DATA FOLDER."""

import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from prism_rec.config import set_key
from prism_rec.train import EpochRecord
from prism_rec.tune import Outcome, Search, SearchListener, tune

VALUES: dict[str, Any] = {
    "model": {"width": 8, "max_length": 6, "backbone": {"kind": "sasrec", "layers": 1, "heads": 2}},
    "train": {"epochs": 3, "patience": 3, "batch_size": 16},
    "tune": {
        "trials": 3,
        "space": {
            "train.learning_rate": {"kind": "log_uniform", "low": 1e-4, "high": 1e-1},
            "model.backbone.dropout": {"kind": "uniform", "low": 0.0, "high": 0.5},
            "model.backbone.layers": {"kind": "int", "low": 1, "high": 2},
            "train.optimizer": {"kind": "choice", "values": ["adam", "adamw"]},
        },
    },
}


def search_with(**changes: Any) -> Search:
    values = deepcopy(VALUES)
    for key, value in changes.items():
        set_key(values, key.replace("__", "."), value, "here")
    return Search.parse(values, "here")


def timeless(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome.model_copy(update={"seconds": 0.0}) for outcome in outcomes]


class StopsAfter(SearchListener):
    """Ends the process's work in the middle of a trial, as a crash does."""

    def __init__(self, trial: int, epoch: int) -> None:
        self.trial, self.epoch = trial, epoch
        self.ended = 0

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        self.ended = len(outcomes)

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        if (self.ended, len(records)) == (self.trial, self.epoch):
            raise RuntimeError("stopped")


class Announcer(SearchListener):
    """Says which epoch is over, so that whoever waits knows when to strike."""

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        sys.stdout.write(f"{len(records)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    tune(Search.parse(VALUES, "here"), Path(sys.argv[1]), Path(sys.argv[2]), "cpu", Announcer())
