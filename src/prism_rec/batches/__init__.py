"""Histories -> padded tensors."""

from prism_rec.batches.negatives import NegativeSampler
from prism_rec.batches.padded import Batch, TrainingBatches, examples_per_epoch, pad

__all__ = ["Batch", "NegativeSampler", "TrainingBatches", "examples_per_epoch", "pad"]
