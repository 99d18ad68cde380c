"""Histories side by side in one tensor."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from prism_rec.data.histories import Histories
from prism_rec.errors import InputError

NOTHING_TO_LEARN = "no training history has two items, so there is nothing to learn; add interactions"


class Batch(NamedTuple):
    """Histories, padded with 0 on the right, and the item that comes next at each of their P real positions."""

    users_B: Int[Tensor, " B"]
    histories_BL: Int[Tensor, "B L"]
    lengths_B: Int[Tensor, " B"]
    targets_P: Int[Tensor, " P"]  # history by history, P = sum of the lengths

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def pad(items: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return [B, max(lengths)]: row i holds items[begins[i] : begins[i] + lengths[i]], then zeros."""
    places = np.arange(lengths.max(initial=0))
    inside = places < lengths[:, None]
    return np.where(inside, items[np.where(inside, begins[:, None] + places, 0)], 0)


def ragged(items: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return [sum(lengths)]: items[begins[i] : begins[i] + lengths[i]] for each i, one after another."""
    offsets = np.cumsum(lengths) - lengths
    return items[np.repeat(begins - offsets, lengths) + np.arange(lengths.sum())]


def examples_per_epoch(targets: np.ndarray, max_targets: int | None) -> int:
    """Return how many of the examples an epoch may have if it is to train so many next items on average.

    Args:
        targets: the next items that each example trains.
        max_targets: of one epoch; None: all of them. At least one example remains, where there is any.
    """
    if max_targets is None or targets.sum() <= max_targets:
        return len(targets)
    return max(1, int(len(targets) * max_targets / targets.sum()))


class TrainingBatches:
    """The training histories in a new order each epoch, all of them or a new random part.

    Batches mix histories of all lengths: sorting them by length makes the steps of an epoch differ in what they
    weigh, and trains worse. The model sees to it that padding costs nothing.

    Args:
        histories: training histories; those with fewer than two items have nothing to predict and are left out.
        max_length: L at most; of a longer history the latest items are kept.
        batch_size: users a batch.
        seed: of the orders; epoch e of one seed is always the same.
        max_targets: the next items that an epoch trains on average, at most; None: all of them.

    Raises:
        InputError: no history has two items.
    """

    def __init__(
        self,
        histories: Histories,
        max_length: int,
        batch_size: int,
        seed: int,
        max_targets: int | None = None,
    ) -> None:
        self.histories = histories
        self.max_length = max_length
        self.batch_size = batch_size
        self.seed = seed
        self.users = np.flatnonzero(histories.lengths >= 2)
        if not len(self.users):
            raise InputError(NOTHING_TO_LEARN)
        targets = np.minimum(histories.lengths[self.users] - 1, max_length)
        self.users_per_epoch = examples_per_epoch(targets, max_targets)

    @property
    def share(self) -> float:
        """The share of the users that one epoch has."""
        return self.users_per_epoch / max(1, len(self.users))

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-self.users_per_epoch // self.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        order = np.random.default_rng([self.seed, number]).permutation(self.users)[: self.users_per_epoch]
        for begin in range(0, len(order), self.batch_size):
            yield self._batch(order[begin : begin + self.batch_size])

    def _batch(self, users: np.ndarray) -> Batch:
        lengths = np.minimum(self.histories.lengths[users] - 1, self.max_length)
        begins = self.histories.offsets[users + 1] - 1 - lengths
        return Batch(
            torch.from_numpy(users),
            torch.from_numpy(pad(self.histories.items, begins, lengths)),
            torch.from_numpy(lengths),
            torch.from_numpy(ragged(self.histories.items, begins + 1, lengths)),
        )
