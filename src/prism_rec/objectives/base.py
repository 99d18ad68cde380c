"""What a training objective must do."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.batches import TrainingBatches
from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.fusion.base import History
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig


@runtime_checkable
class OnDevice(Protocol):
    """What an objective trains on in one step."""

    def to(self, device: torch.device) -> "OnDevice":
        """Return the same on a device."""


@runtime_checkable
class Batches(Protocol):
    """The batches of every epoch."""

    @property
    def share(self) -> float:
        """The share of the training examples that one epoch has."""

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""

    def epoch(self, number: int) -> Iterator[OnDevice]:
        """Yield the batches of one epoch, the same for one number whenever it is asked for."""


class Outcome(NamedTuple):
    """One batch's recommendation loss, and the histories that the interaction losses are taken on."""

    loss: Float[Tensor, ""]
    history: History


class Objective(nn.Module, ABC):
    """User states and the items that come next -> a loss to be minimised.

    It sees the model through its methods alone (`item_set`, `history`, `encode`, `score`, `keys`, ...), so that every
    backbone and fusion fits; one that needs more refuses the others in its settings' `check`. Training calls
    `begin_training`, then `batches`, then `begin_epoch` before each epoch.
    """

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:  # noqa: B027
        """Look at the model and the training histories once, before anything is optimised.

        An objective with parameters that follow the model's width makes them here. By default nothing is needed.
        """

    def batches(
        self,
        histories: Histories,
        max_length: int,
        batch_size: int,
        seed: int,
        max_targets: int | None = None,
    ) -> Batches:
        """Return what `forward` is to be called with; by default whole histories, trained at every position.

        Where `max_targets` is given, an epoch has a new random part of the examples, small enough for it to train
        so many next items on average: the same number whatever an example is.
        """
        return TrainingBatches(histories, max_length, batch_size, seed, max_targets)

    def begin_epoch(self, model: SequenceRecommender, epoch: int) -> None:  # noqa: B027
        """Look at the model as it is before an epoch, numbered from 1; by default nothing is needed.

        What is found may depend on the weights and on random numbers alone: after a resume it is found again.
        """

    @abstractmethod
    def forward(self, model: SequenceRecommender, batch: Any) -> Outcome:
        """Return the loss of one batch, one of those that `batches` yields."""


class ObjectiveSettings(Config):
    """The base of every objective's settings."""

    def check(self, model: ModelConfig) -> None:
        """Refuse a model that the objective cannot train; by default every one fits.

        Raises:
            InputError: what does not go together, and what would.
        """
