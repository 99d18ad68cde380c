"""What a training objective must do."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.batches import Batch
from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.fusion.base import History
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig


class Outcome(NamedTuple):
    """One batch's recommendation loss, and the histories that the interaction losses are taken on."""

    loss: Float[Tensor, ""]
    history: History


class Objective(nn.Module, ABC):
    """User states and the items that come next -> a loss to be minimised.

    It sees the model through `item_set`, `encode`, `score`, `queries` and `keys` alone, so that every backbone and
    fusion fits; one that needs more refuses the others in its settings' `check`.
    """

    def begin_training(self, histories: Histories, number_of_items: int, device: torch.device) -> None:  # noqa: B027
        """Look at the training histories once, before the first epoch; by default nothing is needed."""

    @abstractmethod
    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the loss of one batch."""


class ObjectiveSettings(Config):
    """The base of every objective's settings."""

    def check(self, model: ModelConfig) -> None:
        """Refuse a model that the objective cannot train; by default every one fits.

        Raises:
            InputError: what does not go together, and what would.
        """
