"""A few training steps and a part of one validation, measured; run as a process of its own."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from pydantic import BaseModel

from prism_rec.batches import BatchPlan
from prism_rec.data.controls import control_features
from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import Histories
from prism_rec.devices import choose_device, peak_memory
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Batches, OnDevice
from prism_rec.rank import Ranker
from prism_rec.training.checkpoint import TrainingState
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

WARM_UP = 3
"""First steps, which are slower and do not count."""


class Measured(BaseModel):
    """Results of a probe."""

    batches: int
    """Steps of one epoch."""
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
    """The first batches of an epoch, as many as fit into some seconds, at least one.

    Args:
        batches: of the whole epoch.
        number: yield at most this many.
        seconds: yield none after this time.
    """

    share = 1.0

    def __init__(self, batches: Batches, number: int, seconds: float) -> None:
        self.batches = batches
        self.number = number
        self.seconds = seconds
        self.given = 0
        self.began = 0.0

    def __len__(self) -> int:
        """Return the number of batches that were given so far."""
        return max(1, self.given)

    def epoch(self, number: int) -> Iterator[OnDevice]:
        """Yield the batches; `began` is the time of the first."""
        self.began = time.perf_counter()
        for batch in self.batches.epoch(number):
            if self.given == self.number or (self.given and time.perf_counter() - self.began > self.seconds):
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
    torch.manual_seed(config.train.seed)
    dataset = Dataset.load(data)
    features = control_features(dataset.features, config.features, config.train.seed)
    model = config.model.build(dataset.number_of_items, features).to(choose_device(device))
    objective = config.objective.build()
    objective.begin_training(model, dataset.training())
    step = TrainStep(model, objective.to(model.device))
    optimizer = make_optimizer(step, config.train)
    plan = BatchPlan(model.max_length, config.train.batch_size, config.train.seed, config.train.max_targets)
    batches = objective.batches(dataset.training(), plan)
    train_epoch(step, optimizer, SomeBatches(batches, WARM_UP, seconds), 1, config.train)
    timed, began = SomeBatches(batches, len(batches), seconds), time.perf_counter()
    train_epoch(step, optimizer, timed, 1, config.train)
    per_step = (time.perf_counter() - timed.began) / max(1, timed.given)
    began_checkpoint = time.perf_counter()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "state"
        TrainingState(step, optimizer, model.device).save(file, {})
        size = file.stat().st_size
    checkpoint_seconds = time.perf_counter() - began_checkpoint
    return Measured(
        batches=len(batches),
        epoch_seconds=timed.began - began + per_step * len(batches),
        validation_seconds=_validation_seconds(model, dataset, config, seconds),
        checkpoint_seconds=checkpoint_seconds,
        checkpoint_bytes=size,
        peak_bytes=peak_memory(model.device),
    )


def _validation_seconds(
    model: SequenceRecommender, dataset: Dataset, config: RunConfig, seconds: float
) -> float:
    """Return the time of ranking for all validation users: measured for more and more of them."""
    questions = dataset.queries("validation")
    began = time.perf_counter()
    ranker = Ranker(model, config.train.rank_batch_size, config.seen_in(dataset))
    once = time.perf_counter() - began
    asked, total = min(256, len(questions.targets)), len(questions.targets)
    while total:
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
    return once


def main() -> None:
    """Read settings as JSON from the standard input and write the measured values to the standard output."""
    asked = json.load(sys.stdin)
    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    measured = probe(RunConfig.parse(asked["config"]), Path(asked["data"]), asked["device"])
    sys.stdout.write(f"{measured.model_dump_json()}\n")


if __name__ == "__main__":
    main()
