"""A search whose trials take a moment; as a script, one that can be killed: searching.py DATA FOLDER."""

import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from prism_rec.config import set_key
from prism_rec.data import Dataset
from prism_rec.events import Events, Fact
from prism_rec.tuning.result import TrialResult
from prism_rec.tuning.search import Search
from prism_rec.tuning.tune import tune

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


USERS, ITEMS, EVENTS = 40, 30, 6


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare users who all go round the same circle of items, so that there is something to learn."""
    places = [(user, place) for user in range(USERS) for place in range(EVENTS)]
    log = pl.DataFrame(
        {
            "user_id": [f"u{user}" for user, _ in places],
            "item_id": [f"i{(7 * user + place) % ITEMS}" for user, place in places],
            "timestamp": list(range(len(places))),
        }
    )
    folder = tmp_path_factory.mktemp("prepared") / "data"
    Dataset.from_frame(log, time="order").save(folder)
    return folder


def search_with(**changes: Any) -> Search:
    values = deepcopy(VALUES)
    for key, value in changes.items():
        set_key(values, key.replace("__", "."), value, "here")
    return Search.parse(values, "here")


def timeless(results: Sequence[TrialResult]) -> list[TrialResult]:
    return [result.model_copy(update={"seconds": 0.0}) for result in results]


class Watch(Events):
    """Hears after how many trials and epochs something happens; a subclass does it in `reach`."""

    def __init__(self) -> None:
        self.trials = self.epochs = 0

    def reach(self, trials: int, epochs: int) -> None:
        """Hear that so many trials are finished, and so many epochs of the next one."""

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        if task == "trials":
            self.trials += steps
            self.epochs = 0
        elif facts:
            self.epochs = int(str(facts["epoch"]).partition(" ")[0]) - 1
        else:
            return
        self.reach(self.trials, self.epochs)


class StopsAfter(Watch):
    """Ends the process's work in the middle of a trial, as a crash does."""

    def __init__(self, trial: int, epoch: int) -> None:
        super().__init__()
        self.moment = trial, epoch

    def reach(self, trials: int, epochs: int) -> None:
        if (trials, epochs) == self.moment:
            raise RuntimeError("stopped")


class Announcer(Watch):
    """Says what is finished, so that the process that waits knows when to kill this one."""

    def reach(self, trials: int, epochs: int) -> None:
        sys.stdout.write(f"{trials} {epochs}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    search = Search.parse(VALUES, "here")
    tune(search, Path(sys.argv[2]), data=Path(sys.argv[1]), device="cpu", events=Announcer())
