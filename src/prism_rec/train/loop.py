"""The training loop: epochs, validation, early stopping, checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from prism_rec.data.histories import Histories
from prism_rec.errors import DivergedError
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Batches, Objective
from prism_rec.train.average import WeightAverage
from prism_rec.train.checkpoint import TrainingState, load_tensors, save_tensors
from prism_rec.train.config import TrainConfig

LAST = "last.safetensors"
BEST = "best.safetensors"


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Losses are means over its batches; `validation` is empty if there was none; `share` is that of the training
    examples that it had.
    """

    epoch: int
    loss: float
    interaction_loss: float
    seconds: float
    validation: dict[str, float] = field(default_factory=dict)
    share: float = 1.0


class Listener:
    """Hears how training goes; a subclass overrides what it wants to know."""

    def on_batch(self, epoch: int, done: int, total: int) -> None:
        """Hear that `done` of an epoch's `total` batches are done."""

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Hear all records so far, the newest last; called once more after a resume, before going on."""


def fit(
    model: SequenceRecommender,
    objective: Objective,
    histories: Histories,
    config: TrainConfig,
    max_length: int,
    validate: Callable[[SequenceRecommender], Mapping[str, float]],
    folder: Path,
    listeners: Sequence[Listener] = (),
    id_events: int = 1,
) -> list[EpochRecord]:
    """Train until the epochs or the patience run out, and leave the model with the weights of its best epoch.

    After every epoch the whole state is written to `folder`; where one stands there already, training goes on
    from it and ends, on the CPU, with the same numbers bit for bit.

    Args:
        model: on the device where training is to run.
        objective: the loss; its own parameters are trained too.
        histories: training histories alone: no validation or test item.
        config: of the loop.
        max_length: the latest items of a history that count.
        validate: returns metrics of the model; `config.metric` must be among them.
        folder: where the checkpoints go.
        listeners: progress bars, logs.
        id_events: an item with fewer training events is scored without its id, if content describes it.

    Returns:
        A record an epoch.
    """
    objective.begin_training(model, histories)
    objective.to(model.device)
    model.items.note_events(torch.from_numpy(histories.items).to(model.device), id_events)
    modules: dict[str, nn.Module] = {"model": model, "objective": objective}
    optimizer = make_optimizer(modules, config)
    average = WeightAverage(model, config.average) if config.average else None
    if average is not None:
        modules["average"] = average
    state = TrainingState(modules, optimizer, model.device)
    batches = objective.batches(histories, max_length, config.batch_size, config.seed, config.max_targets)
    records: list[EpochRecord] = []
    if (folder / LAST).exists():
        records = [EpochRecord(**record) for record in state.restore(folder / LAST)["records"]]
        _tell(listeners, records, config.metric)
    while stopped_by(records, config) is None:
        epoch = len(records) + 1
        record = train_epoch(model, objective, optimizer, batches, epoch, config, listeners, average)
        with average.applied(model) if average is not None else nullcontext():
            if epoch % config.validate_every == 0 or epoch == config.epochs:
                record = replace(record, validation=dict(validate(model)))
            records.append(record)
            if best_epoch(records, config.metric) == epoch:
                save_tensors(folder / BEST, model.state_dict(), {"epoch": epoch})
        state.save(folder / LAST, {"records": [asdict(record) for record in records]})
        _tell(listeners, records, config.metric)
    model.load_state_dict(load_tensors(folder / BEST)[0])
    return records


def train_epoch(
    model: SequenceRecommender,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    epoch: int,
    config: TrainConfig,
    listeners: Sequence[Listener] = (),
    average: WeightAverage | None = None,
) -> EpochRecord:
    """Take one step a batch: recommendation loss + interaction loss (PRISM, equation 12)."""
    began = time.perf_counter()
    objective.begin_epoch(model, epoch)
    model.train()
    totals = torch.zeros(2, device=model.device)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for done, batch in enumerate(batches.epoch(epoch), start=1):
        outcome = objective(model, batch.to(model.device))
        interaction_loss = model.interaction_loss(outcome.history)
        optimizer.zero_grad()
        (outcome.loss + interaction_loss).backward()
        if config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(parameters, config.gradient_clip)
        optimizer.step()
        if average is not None:
            average.update(model)
        totals += torch.stack([outcome.loss.detach(), interaction_loss.detach()])
        for listener in listeners:
            listener.on_batch(epoch, done, len(batches))
    if not totals.isfinite().all():
        raise DivergedError(
            f"the loss is not finite in epoch {epoch}; lower train.learning_rate, or clip gradients"
        )
    loss, interaction = (totals / max(1, len(batches))).tolist()
    return EpochRecord(epoch, loss, interaction, time.perf_counter() - began, share=batches.share)


def make_optimizer(modules: Mapping[str, nn.Module], config: TrainConfig) -> torch.optim.Optimizer:
    """Return Adam or AdamW over all parameters of the modules, its steps fused into one kernel."""
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    parameters = [parameter for module in modules.values() for parameter in module.parameters()]
    return kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def best_epoch(records: Sequence[EpochRecord], metric: str) -> int | None:
    """Return the first epoch with the highest validation metric; None before any validation."""
    validated = [record for record in records if record.validation]
    return max(validated, key=lambda record: record.validation[metric]).epoch if validated else None


def stopped_by(records: Sequence[EpochRecord], config: TrainConfig) -> Literal["patience", "epochs"] | None:
    """Return what has run out, patience where both have; None: training goes on."""
    best = best_epoch(records, config.metric)
    since = sum(bool(record.validation) for record in records[best:]) if best is not None else 0
    if since >= config.patience:
        return "patience"
    return "epochs" if len(records) >= config.epochs else None


def _tell(listeners: Sequence[Listener], records: Sequence[EpochRecord], metric: str) -> None:
    for listener in listeners:
        listener.on_epoch(records, best_epoch(records, metric))
