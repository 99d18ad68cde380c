"""The training loop: epochs, validation, early stopping, checkpoints."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from prism_rec import processes
from prism_rec.data.histories import Histories
from prism_rec.errors import DivergedError
from prism_rec.events import Events, Fact
from prism_rec.model import SequenceRecommender
from prism_rec.nn.processes import per_process
from prism_rec.objectives.base import Batches, Objective
from prism_rec.training.average import WeightAverage
from prism_rec.training.begin import Training, begin
from prism_rec.training.checkpoint import load_tensors, save_tensors
from prism_rec.training.config import TrainConfig
from prism_rec.training.step import TrainStep

TASK = "training"
"""Name of the task that `fit` reports to its events."""
AfterEpoch = Callable[[Sequence["EpochRecord"]], None]
"""Is called with the records of all epochs so far, the newest last."""
Validate = Callable[[SequenceRecommender], Mapping[str, float]]
"""Returns validation metrics of the model."""


@dataclass(frozen=True)
class EpochRecord:
    """The results of one epoch."""

    epoch: int
    """Number of the epoch, from 1."""
    loss: float
    """Mean recommendation loss over the epoch's batches."""
    interaction_loss: float
    """Mean of the fusion's own losses over the epoch's batches, weighted."""
    seconds: float
    """Time of the epoch without validation."""
    validation: dict[str, float] = field(default_factory=dict)
    """Validation metrics; empty if there was no validation."""
    share: float = 1.0
    """Part of the training examples that the epoch had, 0 to 1."""


def fit(
    model: SequenceRecommender,
    objective: Objective,
    histories: Histories,
    config: TrainConfig,
    validate: Validate | None,
    last: Path,
    best: Path,
    after_epoch: AfterEpoch | None = None,
    events: Events = Events(),
) -> list[EpochRecord]:
    """Train until the epochs or the patience run out, and leave the model with the weights of its best epoch.

    Without a validation, training takes all epochs, and the last one counts as the best.

    The whole state is written to `last` after every epoch. If that file exists, training continues from it and ends,
    on the CPU, with the same numbers bit for bit.

    If several processes are `processes.joined`, each takes its part of every batch. The first one writes the files,
    which the others must be able to read.

    Args:
        model: on the device that trains.
        objective: the loss; its own parameters are trained too.
        histories: training histories, without any validation or test item.
        config: of the loop.
        validate: returns metrics of the model; `config.metric` must be among them. None: nothing is validated.
        last: checkpoint file of the whole state.
        best: checkpoint file of the best epoch's weights.
        after_epoch: called after every epoch, and once before the first one if training continues; it may raise an
            error to end training. Only the first of several processes calls it.
        events: get one step per batch.

    Returns:
        One record per epoch.
    """
    training = begin(model, objective, histories, config, events)
    step, batches = training.step, training.batches
    writes = processes.is_first()
    hear = after_epoch if writes and after_epoch else (lambda records: None)
    records = _restored(training, last, config, events)
    if records:
        hear(records)
    wrapped = wrap(step)
    events.begin(TASK, config.epochs * len(batches))
    events.advance(TASK, len(records) * len(batches))
    while stopped_by(records, config) is None:
        epoch = len(records) + 1
        events.advance(TASK, 0, _facts(records, config))
        record = train_epoch(
            step, training.optimizer, batches, epoch, config, events, training.average, wrapped
        )
        with training.validated():
            records.append(_validated(record, training, config, validate))
            if writes and (validate is None or best_epoch(records, config.metric) == epoch):
                save_tensors(best, model.state_dict(), {"epoch": epoch})
        if writes:
            training.state.save(last, {"records": [asdict(record) for record in records]})
        hear(records)
    events.end(TASK)
    processes.wait()
    model.load_state_dict(load_tensors(best)[0])
    return records


def _restored(training: Training, last: Path, config: TrainConfig, events: Events) -> list[EpochRecord]:
    """Restore a training that was interrupted; return the records of its epochs, none if there is no such training."""
    if not last.exists():
        return []
    records = [EpochRecord(**record) for record in training.state.restore(last)["records"]]
    if stopped_by(records, config) is None:
        events.note(f"continuing from epoch {len(records) + 1} of at most {config.epochs}")
    return records


def _validated(
    record: EpochRecord, training: Training, config: TrainConfig, validate: Validate | None
) -> EpochRecord:
    """Return the record of an epoch, with its validation metrics if the epoch is validated."""
    if validate is not None and record.epoch % config.validate_every and record.epoch != config.epochs:
        return record
    training.note_unknown_ids()
    return record if validate is None else replace(record, validation=dict(validate(training.step.model)))


def train_epoch(
    step: TrainStep,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    epoch: int,
    config: TrainConfig,
    events: Events = Events(),
    average: WeightAverage | None = None,
    wrapped: nn.Module | None = None,
) -> EpochRecord:
    """Take one step per batch on the sum of the losses (PRISM, equation 12).

    Args:
        step: the model and its objective.
        optimizer: of the step's parameters.
        batches: of all epochs.
        epoch: number of this epoch, from 1.
        config: of the loop.
        events: get one step per batch.
        average: of the weights, updated after every step.
        wrapped: computes the losses; the step itself if not given.
    """
    began = time.perf_counter()
    device = step.model.device
    processes.share_random_numbers(device)
    step.objective.begin_epoch(step.model, epoch)
    processes.part_random_numbers(config.seed, epoch)
    step.train()
    forward = wrapped or step
    totals = torch.zeros(2, device=device)
    for batch in batches.epoch(epoch):
        losses = forward(batch.to(device))
        optimizer.zero_grad()
        (losses.recommendation + losses.interaction).backward()
        if config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(step.parameters(), config.gradient_clip)
        optimizer.step()
        if average:
            average.update(step.model)
        totals += torch.stack([losses.recommendation.detach(), losses.interaction.detach()])
        events.advance(TASK)
    totals = per_process(totals)
    if not totals.isfinite().all():
        raise DivergedError(
            f"the loss is not finite in epoch {epoch}; lower train.learning_rate, or set train.gradient_clip"
        )
    loss, interaction = (totals / max(1, len(batches))).tolist()
    return EpochRecord(epoch, loss, interaction, time.perf_counter() - began, share=batches.share)


def wrap(step: TrainStep) -> nn.Module:
    """Return a module that computes a step's losses and gives all processes the mean of their gradients.

    All processes get the weights of the first. A single process computes the step itself.
    """
    if processes.world() == 1:
        return step
    for weights in step.state_dict().values():
        distributed.broadcast(weights, 0)
    # Parameters of plug-ins may be unused in a step.
    # The name of `broadcast_buffers` changes with a version of PyTorch later than the oldest that is supported.
    warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
    return DistributedDataParallel(
        step,
        broadcast_buffers=False,
        init_sync=False,
        find_unused_parameters=True,
        gradient_as_bucket_view=True,
    )


def best_epoch(records: Sequence[EpochRecord], metric: str) -> int | None:
    """Return the first epoch with the highest validation metric; None before any validation."""
    validated = [record for record in records if record.validation]
    return max(validated, key=lambda record: record.validation[metric]).epoch if validated else None


def stopped_by(records: Sequence[EpochRecord], config: TrainConfig) -> Literal["patience", "epochs"] | None:
    """Return whether `patience` or `epochs` has run out, `patience` if both have; None if training continues."""
    best = best_epoch(records, config.metric)
    since = sum(bool(record.validation) for record in records[best:]) if best is not None else 0
    if since >= config.patience:
        return "patience"
    return "epochs" if len(records) >= config.epochs else None


def _facts(records: Sequence[EpochRecord], config: TrainConfig) -> dict[str, Fact]:
    """Return the number of the next epoch, the latest loss and the best validation."""
    facts: dict[str, Fact] = {"epoch": f"{len(records) + 1} of {config.epochs}"}
    if records:
        facts["loss"] = records[-1].loss
    best = best_epoch(records, config.metric)
    if best is not None:
        facts[f"best {config.metric}"] = records[best - 1].validation[config.metric]
    return facts
