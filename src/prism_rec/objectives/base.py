"""The contract of a training objective."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.fusion.reading import Reading
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig


@runtime_checkable
class OnDevice(Protocol):
    """The examples of one step."""

    def to(self, device: torch.device) -> "OnDevice":
        """Return the same on a device."""


@runtime_checkable
class Batches(Protocol):
    """The batches of every epoch; `batches.ShuffledBatches` is a base for them."""

    @property
    def share(self) -> float:
        """Part of the training examples that one epoch has, 0 to 1."""

    def __len__(self) -> int:
        """Return the number of batches per epoch, the same on every rank."""

    def epoch(self, number: int) -> Iterator[OnDevice]:
        """Yield the batches of one epoch; the same number always gives the same batches."""


class Outcome(NamedTuple):
    """One batch's recommendation loss, and the histories that the interaction losses are computed on.

    If several processes share a batch, the loss is the mean over a part of it. Parts count by their number of terms.
    """

    loss: Float[Tensor, ""]
    reading: Reading
    terms: int | None = None
    """Number of terms that the loss is the mean of; None: the places of the histories."""

    @property
    def number_of_terms(self) -> int:
        """How many terms the loss is the mean of."""
        return len(self.reading.index_P) if self.terms is None else self.terms


class Objective(nn.Module, ABC):
    """User states and the items that come next -> a loss to be minimised.

    An objective uses only the methods of the model (`read`, `encode`, `score`, `keys`, ...), so that every backbone and
    fusion fits. One that needs more refuses the others in its settings' `check`. Training calls `begin_training`, then
    `batches`, then `begin_epoch` before each epoch.
    """

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:  # noqa: B027
        """Look at the model and the training histories once, before anything is optimised.

        An objective with parameters that depend on the model's width makes them here. By default nothing is done.
        """

    def batches(self, histories: Histories, plan: BatchPlan) -> Batches:
        """Return the batches that `forward` gets; by default whole histories, trained at every position.

        With `plan.max_targets`, an epoch has a new random part of the examples, small enough to train at most that many
        next items on average. It counts next items, not examples, so that it means the same for every objective.
        """
        return TrainingBatches(histories, plan)

    def begin_epoch(self, model: SequenceRecommender, epoch: int) -> None:  # noqa: B027
        """Look at the model as it is before an epoch, numbered from 1; by default nothing is done.

        The result must depend only on the weights and on random numbers: after a resume it is computed again.
        """

    @abstractmethod
    def forward(self, model: SequenceRecommender, batch: Any) -> Outcome:
        """Return the loss of one of the batches of `batches`."""


class ObjectiveSettings(Config, ABC):
    """The base of every objective's settings."""

    samples: ClassVar[bool] = False
    """Whether a step uses some items of the catalogue only."""

    def check(self, model: ModelConfig) -> None:  # noqa: B027
        """Refuse a model that the objective cannot train; by default every model fits.

        Raises:
            SettingsError: what does not fit together, and what would.
        """

    @abstractmethod
    def build(self) -> Objective:
        """Make the objective."""
