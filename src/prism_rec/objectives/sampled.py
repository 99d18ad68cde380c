"""Losses on one target and a few negatives per position."""

from abc import abstractmethod
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from prism_rec.batches import Batch, NegativeSampler
from prism_rec.data.histories import Histories
from prism_rec.errors import SettingsError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.base import Objective, ObjectiveSettings, Outcome


class SampledObjective(Objective):
    """Scores each position's target against negatives drawn from the items that its user has not chosen.

    Args:
        negatives: drawn for each position.
    """

    def __init__(self, negatives: int) -> None:
        super().__init__()
        self.negatives = negatives

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Make the sampler."""
        self.sampler = NegativeSampler(histories, model.items.number_of_items, model.device)

    def candidates(self, batch: Batch) -> Int[Tensor, "P C"]:
        """Return for each position its target, and after it the negatives drawn."""
        users_P = batch.users_B.repeat_interleave(batch.lengths_B)
        return torch.cat([batch.targets_P[:, None], self.sampler.draw(users_P, self.negatives)], 1)

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's positions."""
        candidates_PC = self.candidates(batch)
        reading = model.read(batch.items_P, batch.lengths_B, candidates_PC, next_P=batch.targets_P)
        scores_PC = model.score(model.encode(reading), candidates_PC, reading.items)
        return Outcome(self.loss(scores_PC[:, :1], scores_PC[:, 1:]), reading)

    @abstractmethod
    def loss(self, target_P1: Float[Tensor, "P 1"], negatives_PC: Float[Tensor, "P C"]) -> Float[Tensor, ""]:
        """Return the mean loss over the positions from the scores of targets and negatives."""


class BinaryCrossEntropy(SampledObjective):
    """-log sigmoid(target) - mean log sigmoid(-negative): SASRec's published loss, with one negative."""

    def loss(self, target_P1: Float[Tensor, "P 1"], negatives_PC: Float[Tensor, "P C"]) -> Float[Tensor, ""]:
        """Return the loss."""
        return -F.logsigmoid(target_P1).mean() - F.logsigmoid(-negatives_PC).mean()


class BayesianPersonalisedRanking(SampledObjective):
    """-log sigmoid(target - negative) (Rendle et al., UAI 2009)."""

    def loss(self, target_P1: Float[Tensor, "P 1"], negatives_PC: Float[Tensor, "P C"]) -> Float[Tensor, ""]:
        """Return the loss."""
        return -F.logsigmoid(target_P1 - negatives_PC).mean()


class GeneralisedBinaryCrossEntropy(SampledObjective):
    """gBCE (Petrov and Macdonald, RecSys 2023): the target's probability is raised to a power beta.

        beta = alpha (t (1 - 1 / alpha) + 1 / alpha),   alpha = negatives / (N - 1), 1 at most

    Args:
        negatives: drawn for each position.
        calibration: t; 0 is plain binary cross-entropy, 1 fully removes the overconfidence caused by sampling.
    """

    def __init__(self, negatives: int, calibration: float) -> None:
        super().__init__(negatives)
        self.calibration = calibration

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Make the sampler and compute beta."""
        super().begin_training(model, histories)
        alpha = min(1.0, self.negatives / max(1, model.items.number_of_items - 1))
        self.beta = alpha * (self.calibration * (1 - 1 / alpha) + 1 / alpha)

    def loss(self, target_P1: Float[Tensor, "P 1"], negatives_PC: Float[Tensor, "P C"]) -> Float[Tensor, ""]:
        """Return the loss, divided by the number of scored items as in the paper."""
        terms_P = self.beta * F.logsigmoid(target_P1).squeeze(1) + F.logsigmoid(-negatives_PC).sum(1)
        return -terms_P.mean() / (self.negatives + 1)


class _ProbabilitySettings(ObjectiveSettings):
    """Settings of losses that use a score as the log odds of a choice."""

    samples = True

    def check(self, model: ModelConfig) -> None:
        """Refuse scores that are negative distances: no item could be more likely than not.

        Raises:
            SettingsError: the backbone scores by a distance.
        """
        if model.backbone.scores == "distance":
            raise SettingsError(
                f"this objective uses scores as log odds, and those of backbone {model.backbone.kind}, negative "
                "distances, are never above zero; use the objective stosa, bpr or cross_entropy"
            )


class BinaryCrossEntropyConfig(_ProbabilitySettings):
    """Settings of `bce`, binary cross-entropy."""

    kind: Literal["bce"] = "bce"
    """Name of the objective."""
    negatives: int = Field(1, ge=1)
    """Number of negatives per position."""

    def build(self) -> BinaryCrossEntropy:
        """Make the objective."""
        return BinaryCrossEntropy(self.negatives)


class BayesianPersonalisedRankingConfig(ObjectiveSettings):
    """Settings of `bpr`, Bayesian personalised ranking."""

    samples = True

    kind: Literal["bpr"] = "bpr"
    """Name of the objective."""
    negatives: int = Field(1, ge=1)
    """Number of negatives per position."""

    def build(self) -> BayesianPersonalisedRanking:
        """Make the objective."""
        return BayesianPersonalisedRanking(self.negatives)


class GeneralisedBinaryCrossEntropyConfig(_ProbabilitySettings):
    """Settings of `gbce`, generalised binary cross-entropy."""

    kind: Literal["gbce"] = "gbce"
    """Name of the objective."""
    negatives: int = Field(128, ge=1)
    """Number of negatives per position."""
    calibration: float = Field(0.75, ge=0, le=1)
    """0 is plain binary cross-entropy; 1 fully removes the overconfidence caused by sampling."""

    def build(self) -> GeneralisedBinaryCrossEntropy:
        """Make the objective."""
        return GeneralisedBinaryCrossEntropy(self.negatives, self.calibration)
