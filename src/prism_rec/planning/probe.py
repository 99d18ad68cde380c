"""A few training steps and a part of one validation, measured; run as a process of its own."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from pydantic import BaseModel

from prism_rec.data.controls import control_features
from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import Histories
from prism_rec.devices import choose_device, peak_memory
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Batches, OnDevice
from prism_rec.rank import Ranker
from prism_rec.training.begin import Training, begin
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch

WARM_UP = 3
"""First steps, which are slower and do not count."""
LEAST = 16
"""Steps that are taken at least: memory grows over the first ones, since each batch is of another size."""


class Measured(BaseModel):
    """Results of a probe."""

    batches: int
    """Steps of one epoch."""
    start_seconds: float
    """Time before the first step: data, model, and what is learnt from the data once."""
    epoch_seconds: float
    """Time of one epoch without validation."""
    validation_seconds: float
    """Time of one validation."""
    checkpoint_seconds: float
    """Time to write the state of training after an epoch."""
    checkpoint_bytes: int
    """Size of that state on disk."""
    peak_bytes: int
    """Most memory in use: of the process on a CPU, of the tensors on a GPU."""


class SomeBatches:
    """The first batches of an epoch, as many as fit into some seconds, and a least number.

    Args:
        batches: of the whole epoch.
        number: yield at most this many.
        seconds: yield none after this time.
        least: but yield this many, if the epoch has them.
    """

    share = 1.0

    def __init__(self, batches: Batches, number: int, seconds: float, least: int = 1) -> None:
        self.batches = batches
        self.number = number
        self.seconds = seconds
        self.least = least
        self.given = 0
        self.began = 0.0

    def __len__(self) -> int:
        """Return the number of batches that were given so far."""
        return max(1, self.given)

    def epoch(self, number: int) -> Iterator[OnDevice]:
        """Yield the batches; `began` is the time of the first."""
        self.began = time.perf_counter()
        for batch in self.batches.epoch(number):
            late = self.given >= self.least and time.perf_counter() - self.began > self.seconds
            if late or self.given == self.number:
                return
            yield batch
            self.given += 1


def probe(config: RunConfig, data: Path, device: str = "auto", seconds: float = 4.0) -> Measured:
    """Train some steps and rank some users, and measure time and memory.

    Args:
        config: all settings of the run.
        data: dataset folder.
        device: as in training.
        seconds: time for the steps, and for ranking. Small data take less, large models a little more.
    """
    began_start = time.perf_counter()
    torch.manual_seed(config.train.seed)
    dataset = Dataset.load(data)
    features = control_features(dataset.features, config.features, config.train.seed)
    model = config.model.build(dataset.number_of_items, features).to(choose_device(device))
    training = begin(model, config.objective.build(), dataset.training(), config.train)
    start_seconds = time.perf_counter() - began_start
    _steps(training, config, WARM_UP, seconds)
    began = time.perf_counter()
    timed = _steps(training, config, len(training.batches), seconds, LEAST - WARM_UP)
    per_step = (time.perf_counter() - timed.began) / max(1, timed.given)
    with training.validated():
        training.note_unknown_ids()
        validation_seconds = _validation_seconds(model, dataset, config, seconds)
    began_checkpoint = time.perf_counter()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "state"
        training.state.save(file, {})
        size = file.stat().st_size
    return Measured(
        batches=len(training.batches),
        start_seconds=start_seconds,
        epoch_seconds=timed.began - began + per_step * len(training.batches),
        validation_seconds=validation_seconds,
        checkpoint_seconds=time.perf_counter() - began_checkpoint,
        checkpoint_bytes=size,
        peak_bytes=peak_memory(model.device),
    )


def _steps(training: Training, config: RunConfig, number: int, seconds: float, least: int = 1) -> SomeBatches:
    """Take the first steps of an epoch, and return the batches that they had."""
    batches = SomeBatches(training.batches, number, seconds, least)
    train_epoch(training.step, training.optimizer, batches, 1, config.train, average=training.average)
    return batches


def _validation_seconds(
    model: SequenceRecommender, dataset: Dataset, config: RunConfig, seconds: float
) -> float:
    """Return the time of ranking for all validation users: measured for more and more of them.

    As many users as validation encodes at once are encoded before, because that takes the most memory.
    """
    questions = dataset.queries("validation")
    if not len(questions.targets):
        return 0.0
    began = time.perf_counter()
    ranker = Ranker(model, config.train.rank_batch_size, config.seen_in(dataset))
    once = time.perf_counter() - began
    asked, total = min(256, len(questions.targets)), len(questions.targets)
    ranker.states(questions.histories, np.arange(min(total, ranker.batch_size)))
    while True:
        part = Histories(
            questions.histories.items[: questions.histories.offsets[asked]],
            questions.histories.offsets[: asked + 1],
        )
        began = time.perf_counter()
        ranker.rank(part, questions.targets[:asked])
        spent = time.perf_counter() - began
        if asked == total or spent > seconds / 4:
            return once + spent * total / asked
        asked = min(total, 4 * asked)


def main() -> None:
    """Read settings as JSON from the standard input and write the measured values to the standard output."""
    asked = json.load(sys.stdin)
    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    measured = probe(RunConfig.parse(asked["config"]), Path(asked["data"]), asked["device"])
    sys.stdout.write(f"{measured.model_dump_json()}\n")


if __name__ == "__main__":
    main()
