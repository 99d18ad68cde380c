import torch
import torch.nn.functional as F
from torch import Tensor

from prism_rec.model import SequenceRecommender
from prism_rec.objectives.indirec.objective import InDiRec, InDiRecConfig
from prism_rec.objectives.indirec.segments import SegmentBatch
from prism_rec.testing import ObjectiveContract
from prism_rec.testing.objectives import MAX_LENGTH, TRAINING


class TestInDiRec(ObjectiveContract):
    config = InDiRecConfig(intents=3, steps=4, null_probability=0.5)

    def objective(self, model: SequenceRecommender) -> InDiRec:
        objective = self.config.build()
        objective.begin_training(model, TRAINING)
        objective.batches(TRAINING, MAX_LENGTH, batch_size=100, seed=0)
        objective.begin_epoch(model)
        return objective

    def batch(self, objective: InDiRec) -> SegmentBatch:
        return next(objective.segment_batches.epoch(1))

    def reordered(self, batch: SegmentBatch, order: list[int]) -> SegmentBatch:
        size = len(batch.targets_S)
        segments = [row for row in order if row < size]
        both = segments + [row + size for row in segments]
        return SegmentBatch(batch.histories_BL[both], batch.lengths_B[both], batch.targets_S[segments])

    def steady(self, objective: InDiRec) -> None:
        """Add no noise: a guide stands for itself, and a target is to be found again from itself."""
        diffusion = objective.diffusion

        def loss(x0_BD: Tensor, guides_BD: Tensor) -> Tensor:
            return F.mse_loss(diffusion.predict(x0_BD, guides_BD, torch.zeros_like(x0_BD)), x0_BD)

        diffusion.loss, diffusion.generate = loss, torch.detach
