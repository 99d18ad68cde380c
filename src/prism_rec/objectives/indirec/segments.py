"""Every prefix of every training history, its latest items, and the item that comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from prism_rec.batches import examples_per_epoch, pad
from prism_rec.data.histories import Histories
from prism_rec.objectives.indirec.intents import Intents


@dataclass(frozen=True, eq=False)
class Segments:
    """S segments as places in one flat array of items; user by user, the shortest prefix first."""

    items: np.ndarray  # int64 [E]
    begins: np.ndarray  # int64 [S]
    lengths: np.ndarray  # int64 [S], at least 1
    targets: np.ndarray  # int64 [S]

    @classmethod
    def cut(cls, histories: Histories, max_length: int) -> "Segments":
        """Cut training histories: of a prefix its latest `max_length` items; a history of one item has none.

        InDiRec's release cuts the whole sequence and drops the last two items of each segment, to the same end.
        """
        lengths = np.arange(len(histories.items)) - np.repeat(histories.offsets[:-1], histories.lengths)
        targets_at = np.flatnonzero(lengths)
        lengths = np.minimum(lengths[targets_at], max_length)
        return cls(histories.items, targets_at - lengths, lengths, histories.items[targets_at])

    def __len__(self) -> int:
        """Return S."""
        return len(self.targets)

    def histories(self, segments: np.ndarray) -> tuple[Int[Tensor, "B L"], Int[Tensor, " B"]]:
        """Return some segments, padded with 0 on the right, and their lengths."""
        lengths = self.lengths[segments]
        return torch.from_numpy(pad(self.items, self.begins[segments], lengths)), torch.from_numpy(lengths)


class SegmentBatch(NamedTuple):
    """S segments and behind them a guide for each: B = 2 S histories, padded with 0 on the right."""

    histories_BL: Int[Tensor, "B L"]
    lengths_B: Int[Tensor, " B"]
    targets_S: Int[Tensor, " S"]  # the item that comes next after each segment

    def to(self, device: torch.device) -> "SegmentBatch":
        """Return the batch on a device."""
        return SegmentBatch(*(tensor.to(device, non_blocking=True) for tensor in self))


class SegmentBatches:
    """Segments in a new order each epoch, all or a new random part, each beside a random one of its own intent.

    Args:
        segments: what is trained.
        batch_size: segments a batch.
        seed: of orders and guides; epoch e of one seed and the same intents is always the same.
        max_targets: segments of an epoch, each of which has one target; None: all of them.
    """

    def __init__(
        self, segments: Segments, batch_size: int, seed: int, max_targets: int | None = None
    ) -> None:
        self.segments = segments
        self.batch_size = batch_size
        self.seed = seed
        self.segments_per_epoch = examples_per_epoch(np.ones(len(segments), np.int64), max_targets)
        # One for all, until they are known.
        self.intents = Intents(np.zeros(len(segments), np.int64), np.arange(len(segments)))

    @property
    def share(self) -> float:
        """The share of the segments that one epoch has."""
        return self.segments_per_epoch / len(self.segments)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-self.segments_per_epoch // self.batch_size)

    def chosen(self, epoch: int) -> np.ndarray:
        """Return the segments of one epoch, rising."""
        return np.sort(self._draw(epoch)[0])

    def epoch(self, number: int) -> Iterator[SegmentBatch]:
        """Yield the batches of one epoch, whose segments must have intents."""
        order, random = self._draw(number)
        for begin in range(0, len(order), self.batch_size):
            segments = order[begin : begin + self.batch_size]
            guides = self.intents.companions(segments, random)
            histories_BL, lengths_B = self.segments.histories(np.concatenate([segments, guides]))
            yield SegmentBatch(histories_BL, lengths_B, torch.from_numpy(self.segments.targets[segments]))

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.random.Generator]:
        """Return the segments of one epoch as they follow each other, and what draws their guides."""
        random = np.random.default_rng([self.seed, epoch])
        return random.permutation(len(self.segments))[: self.segments_per_epoch], random
