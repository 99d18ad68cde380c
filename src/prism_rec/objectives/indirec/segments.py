"""Every prefix of every training history, cut to its latest items, with the item that comes next."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from prism_rec.batches import BatchPlan, ShuffledBatches
from prism_rec.data.histories import Histories, ranges
from prism_rec.objectives.indirec.intents import Intents


@dataclass(frozen=True, eq=False)
class Segments:
    """G segments as ranges of one flat array of items; user by user, the shortest prefix first."""

    items: np.ndarray  # int64 [E]
    begins: np.ndarray  # int64 [G]
    lengths: np.ndarray  # int64 [G], at least 1
    targets: np.ndarray  # int64 [G]

    @classmethod
    def cut(cls, histories: Histories, max_length: int) -> "Segments":
        """Cut training histories. A prefix keeps its latest `max_length` items; a history of one item has no segment.

        InDiRec's release cuts the whole sequence and drops the last two items of each segment, with the same result.
        """
        lengths = np.arange(len(histories.items)) - np.repeat(histories.offsets[:-1], histories.lengths)
        targets_at = np.flatnonzero(lengths)
        lengths = np.minimum(lengths[targets_at], max_length)
        return cls(histories.items, targets_at - lengths, lengths, histories.items[targets_at])

    def __len__(self) -> int:
        """Return G."""
        return len(self.targets)

    def histories(self, segments: np.ndarray) -> tuple[Int[Tensor, " P"], Int[Tensor, " B"]]:
        """Return the items of some segments, one segment after another, and their lengths."""
        lengths = self.lengths[segments]
        items = self.items[ranges(self.begins[segments], lengths)]
        return torch.from_numpy(items), torch.from_numpy(lengths)


class SegmentBatch(NamedTuple):
    """G segments, and after them a guide for each: B = 2 G histories, one after another without padding."""

    items_P: Int[Tensor, " P"]
    lengths_B: Int[Tensor, " B"]
    targets_G: Int[Tensor, " G"]  # the item that comes next after each segment

    def to(self, device: torch.device) -> "SegmentBatch":
        """Return the batch on a device."""
        return SegmentBatch(*(tensor.to(device, non_blocking=True) for tensor in self))


class SegmentBatches(ShuffledBatches[SegmentBatch]):
    """Segments in a new order per epoch, each with a random segment of its own intent as its guide.

    An epoch's guides depend on `intents`, which the objective sets before the epoch.

    Args:
        segments: to train on; at least one.
        plan: how segments become batches; each segment has one target.
    """

    def __init__(self, segments: Segments, plan: BatchPlan) -> None:
        super().__init__(np.ones(len(segments), np.int64), plan)
        self.segments = segments
        # One intent for all, until they are known.
        self.intents = Intents(np.zeros(len(segments), np.int64), np.arange(len(segments)))

    def chosen(self, epoch: int) -> np.ndarray:
        """Return the segments of one epoch, in rising order."""
        return np.sort(self.shuffle(epoch)[0])

    def make(self, examples: np.ndarray, random: np.random.Generator) -> SegmentBatch:
        """Return some segments and a guide for each; the segments must have intents."""
        guides = self.plan.of_rank(self.intents.companions(examples, random))
        segments = self.plan.of_rank(examples)
        items_P, lengths_B = self.segments.histories(np.concatenate([segments, guides]))
        return SegmentBatch(items_P, lengths_B, torch.from_numpy(self.segments.targets[segments]))
