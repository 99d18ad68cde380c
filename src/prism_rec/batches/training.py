"""Whole training histories, one after another in one flat tensor, trained at every position."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from prism_rec.batches.plan import BatchPlan, ShuffledBatches
from prism_rec.data.histories import Histories, ranges
from prism_rec.errors import DataError

NOTHING_TO_LEARN = "no training history has two items, so there is nothing to learn; add interactions"


class Batch(NamedTuple):
    """B histories, one after another without padding: P places in all, and the item that comes next at each.

    For instance, two users with training histories [5, 3, 7] and [2, 9]:

        users_B    [0, 1]
        items_P    [5, 3, 2]    the last item of each history is a target only
        lengths_B  [2, 1]
        targets_P  [3, 7, 9]
    """

    users_B: Int[Tensor, " B"]
    items_P: Int[Tensor, " P"]
    lengths_B: Int[Tensor, " B"]
    targets_P: Int[Tensor, " P"]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


class TrainingBatches(ShuffledBatches[Batch]):
    """The training histories of users in a new order per epoch.

    Batches mix histories of all lengths: sorting them by length makes the steps of an epoch differ in what they
    weigh, and trains worse. The model sees to it that different lengths cost little.

    Args:
        histories: training histories; those with fewer than two items have nothing to predict and are left out.
        plan: how users become batches.

    Raises:
        DataError: no history has two items.
    """

    def __init__(self, histories: Histories, plan: BatchPlan) -> None:
        self.users = np.flatnonzero(histories.lengths >= 2)
        if not len(self.users):
            raise DataError(NOTHING_TO_LEARN)
        super().__init__(np.minimum(histories.lengths[self.users] - 1, plan.max_length), plan)
        self.histories = histories

    def make(self, examples: np.ndarray, random: np.random.Generator) -> Batch:
        """Return the latest items of some users, and the item after each of them."""
        users = self.plan.of_rank(self.users[examples])
        lengths = np.minimum(self.histories.lengths[users] - 1, self.plan.max_length)
        places = ranges(self.histories.offsets[users + 1] - 1 - lengths, lengths)
        return Batch(
            torch.from_numpy(users),
            torch.from_numpy(self.histories.items[places]),
            torch.from_numpy(lengths),
            torch.from_numpy(self.histories.items[places + 1]),
        )
