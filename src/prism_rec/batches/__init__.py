"""Histories -> padded tensors."""

from prism_rec.batches.negatives import NegativeSampler
from prism_rec.batches.padded import Batch, TrainingBatches, pad

__all__ = ["Batch", "NegativeSampler", "TrainingBatches", "pad"]
