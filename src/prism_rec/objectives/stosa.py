"""STOSA's loss (Fan et al., WWW 2022): BPR on distances, and a target that keeps away from the negatives."""

from typing import Literal

from pydantic import Field

from prism_rec.backbones.stosa import Stosa, StosaConfig
from prism_rec.batches import Batch
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.nn.gather import gather_rows
from prism_rec.objectives.base import ObjectiveSettings, Outcome
from prism_rec.objectives.sampled import BayesianPersonalisedRanking

NEEDS_STOSA = "objective stosa needs the distance of two items, which only backbone stosa has; change either"


class StosaObjective(BayesianPersonalisedRanking):
    """-log sigmoid(target - negative) + weight * max(0, d(state, target) - d(target, negative)).

    Scores are negative distances, and content where candidates are scored by it; d is the distance alone, between
    a user's state and an item's id, or between the ids of two items.

    Args:
        negatives: drawn for each position.
        weight: of the second term.
    """

    def __init__(self, negatives: int, weight: float) -> None:
        super().__init__(negatives)
        self.weight = weight

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's real positions.

        Raises:
            InputError: the model's backbone is another one.
        """
        if not isinstance(model.backbone, Stosa):
            raise InputError(NEEDS_STOSA)
        candidates_PC = self.candidates(batch)
        items = model.item_set(batch.histories_BL, candidates_PC)
        history = model.history(batch.histories_BL, batch.lengths_B, items)
        contributions_PCJ = model.contributions(model.encode(history), candidates_PC, items)
        scores_PC = contributions_PCJ.sum(-1)
        ids_PCV = gather_rows(items.ids_IV, items.place_N[candidates_PC])
        apart_PC = model.backbone.id_distance(ids_PCV[:, :1], ids_PCV[:, 1:])
        # The contribution of the id is the negative distance itself.
        excess_PC = -contributions_PCJ[:, :1, 0] - apart_PC
        loss = self.loss(scores_PC[:, :1], scores_PC[:, 1:]) + self.weight * excess_PC.clamp_min(0).mean()
        return Outcome(loss, history)


class StosaObjectiveConfig(ObjectiveSettings):
    """Settings of `stosa`; `weight` is that of the term that keeps the target away from the negatives."""

    kind: Literal["stosa"] = "stosa"
    negatives: int = Field(1, ge=1)
    weight: float = Field(0.005, ge=0)

    def check(self, model: ModelConfig) -> None:
        """Refuse any backbone but STOSA.

        Raises:
            InputError: another backbone.
        """
        if not isinstance(model.backbone, StosaConfig):
            raise InputError(NEEDS_STOSA)

    def build(self) -> StosaObjective:
        """Make the objective."""
        return StosaObjective(self.negatives, self.weight)
