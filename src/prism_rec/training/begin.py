"""The state of training before its first step: a module to train, its optimiser, averaged weights, and batches."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch

from prism_rec import processes
from prism_rec.batches import BatchPlan
from prism_rec.data.histories import Histories
from prism_rec.events import Events
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Batches, Objective
from prism_rec.rank.unknown_ids import usual_id_term
from prism_rec.training.average import WeightAverage
from prism_rec.training.checkpoint import TrainingState
from prism_rec.training.config import TrainConfig
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep


@dataclass(frozen=True)
class Training:
    """A model that is ready for its first step."""

    step: TrainStep
    """The model and its objective."""
    optimizer: torch.optim.Optimizer
    """Optimiser that changes the step's parameters."""
    average: WeightAverage | None
    """Average that the model's weights have, if there is one."""
    state: TrainingState
    """All of these, to be written to a file."""
    batches: Batches
    """Batches of all epochs."""
    histories: Histories
    """Histories that are trained on."""

    @contextmanager
    def validated(self) -> Iterator[None]:
        """Give the model its averaged weights within a `with` block, if there is an average."""
        model = self.step.model
        with self.average.applied(model) if self.average else nullcontext():
            yield

    def note_unknown_ids(self) -> None:
        """Give items without an id that counts the id term that recommended items have now."""
        model = self.step.model
        model.items.unknown_id.fill_(usual_id_term(model, self.histories))


def begin(
    model: SequenceRecommender,
    objective: Objective,
    histories: Histories,
    config: TrainConfig,
    events: Events = Events(),
) -> Training:
    """Let objective, items, rules and fusion learn from the data what does not change in training, and make the rest.

    Args:
        model: on the device that trains.
        objective: the loss; its own parameters are trained too.
        histories: training histories, without any validation or test item.
        config: of the loop.
        events: get a note of what the fusion has learnt.
    """
    objective.begin_training(model, histories)
    model.items.note_events(torch.from_numpy(histories.counts(model.items.number_of_items)))
    model.begin_rules(histories)
    if learned := model.begin_fusion():
        events.note(f"note: {learned}")
    step = TrainStep(model, objective.to(model.device))
    optimizer = make_optimizer(step, config)
    average = WeightAverage(model, config.average) if config.average else None
    plan = BatchPlan(
        model.max_length,
        config.batch_size,
        config.seed,
        config.max_targets,
        processes.rank(),
        processes.world(),
    )
    state = TrainingState(step, optimizer, model.device, average)
    return Training(step, optimizer, average, state, objective.batches(histories, plan), histories)
