"""Which examples each step trains: a new random order per epoch, cut into batches and shared out over processes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class BatchPlan:
    """How training examples become batches."""

    max_length: int
    """Number of latest items of a history that an example keeps."""
    batch_size: int
    """Examples per step, over all processes together."""
    seed: int
    """Decides the orders: epoch e of one seed is always the same."""
    max_targets: int | None = None
    """Most next items that an epoch trains on average; None: no limit."""
    rank: int = 0
    """Number of this process, from 0."""
    world: int = 1
    """Number of processes that train together."""

    def of_rank(self, batch: np.ndarray) -> np.ndarray:
        """Return this process's part of the examples of one step: every `world`-th, beginning with the `rank`-th.

        All processes must take part in every step. If the batch has fewer examples than there are processes, each of
        them takes all: the mean over processes is that of the batch in both cases.
        """
        return batch[self.rank :: self.world] if len(batch) >= self.world else batch


def examples_per_epoch(targets: np.ndarray, max_targets: int | None) -> int:
    """Return how many examples an epoch may have if it is to train at most `max_targets` next items on average.

    Args:
        targets: number of next items that each example trains.
        max_targets: the limit; None: every example is trained. At least one example remains, if there is any.
    """
    if max_targets is None or targets.sum() <= max_targets:
        return len(targets)
    return max(1, int(len(targets) * max_targets / targets.sum()))


class ShuffledBatches(ABC, Generic[BatchT]):
    """Examples 0, 1, ... in a new order per epoch, all of them or a new random part.

    The orders depend on the seed and the epoch only, so that all processes cut the same batches and each takes its
    part of them. The number of batches is the same for every process.

    Args:
        targets: number of next items that each example trains; at least one example.
        plan: how the examples become batches.
    """

    def __init__(self, targets: np.ndarray, plan: BatchPlan) -> None:
        self.plan = plan
        self.number_of_examples = len(targets)
        self.examples_per_epoch = examples_per_epoch(targets, plan.max_targets)

    @abstractmethod
    def make(self, examples: np.ndarray, random: np.random.Generator) -> BatchT:
        """Return this process's part of the batch that has these examples.

        Args:
            examples: int64, the examples of one step, over all processes.
            random: for further draws. Every process must make the same draws from it.
        """

    @property
    def share(self) -> float:
        """Part of the examples that one epoch has, 0 to 1."""
        return self.examples_per_epoch / self.number_of_examples

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return -(-self.examples_per_epoch // self.plan.batch_size)

    def epoch(self, number: int) -> Iterator[BatchT]:
        """Yield the batches of one epoch, numbered from 1."""
        order, random = self.shuffle(number)
        for begin in range(0, len(order), self.plan.batch_size):
            yield self.make(order[begin : begin + self.plan.batch_size], random)

    def shuffle(self, epoch: int) -> tuple[np.ndarray, np.random.Generator]:
        """Return the examples of one epoch in their order, and the generator that goes on drawing for it."""
        random = np.random.default_rng([self.plan.seed, epoch])
        return random.permutation(self.number_of_examples)[: self.examples_per_epoch], random
