"""Training histories -> the flat tensors of each step, and negatives for them."""

from prism_rec.batches.negatives import NegativeSampler
from prism_rec.batches.plan import BatchPlan, ShuffledBatches
from prism_rec.batches.training import Batch, TrainingBatches

__all__ = ["Batch", "BatchPlan", "NegativeSampler", "ShuffledBatches", "TrainingBatches"]
