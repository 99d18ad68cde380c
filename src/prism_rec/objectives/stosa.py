"""STOSA's loss (Fan et al., WWW 2022): BPR on distances, and a term that keeps the target away from the negatives."""

from typing import Literal

from pydantic import Field

from prism_rec.batches import Batch
from prism_rec.errors import SettingsError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.nn.rows import gather_rows
from prism_rec.objectives.base import ObjectiveSettings, Outcome
from prism_rec.objectives.sampled import BayesianPersonalisedRanking


class StosaObjective(BayesianPersonalisedRanking):
    """-log sigmoid(target - negative) + weight * max(0, d(state, target) - d(target, negative)).

    The scores in the first term are negative distances, plus content if candidates are scored by it. d is the distance
    only: between a user's state and an item's id, or between the ids of two items.

    Args:
        negatives: drawn for each position.
        weight: of the second term.
    """

    def __init__(self, negatives: int, weight: float) -> None:
        super().__init__(negatives)
        self.weight = weight

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's positions; the model's backbone must have an `id_distance`."""
        candidates_PC = self.candidates(batch)
        reading = model.read(batch.items_P, batch.lengths_B, candidates_PC, next_P=batch.targets_P)
        items = reading.items
        contributions_PCJ = model.contributions(model.encode(reading), candidates_PC, items)
        scores_PC = contributions_PCJ.sum(-1)
        ids_PCV = gather_rows(items.ids_IV, items.place_N[candidates_PC])
        apart_PC = model.backbone.id_distance(ids_PCV[:, :1], ids_PCV[:, 1:])
        # The contribution of the id is the negative distance itself.
        excess_PC = -contributions_PCJ[:, :1, 0] - apart_PC
        loss = self.loss(scores_PC[:, :1], scores_PC[:, 1:]) + self.weight * excess_PC.clamp_min(0).mean()
        return Outcome(loss, reading)


class StosaObjectiveConfig(ObjectiveSettings):
    """Settings of `stosa`."""

    samples = True

    kind: Literal["stosa"] = "stosa"
    """Name of the objective."""
    negatives: int = Field(1, ge=1)
    """Number of negatives per position."""
    weight: float = Field(0.005, ge=0)
    """Weight of the term that keeps the target away from the negatives."""

    def check(self, model: ModelConfig) -> None:
        """Refuse a backbone without a distance between items.

        Raises:
            SettingsError: the backbone does not score by a distance.
        """
        if model.backbone.scores != "distance":
            raise SettingsError(
                "objective stosa needs a backbone that scores by a distance, such as stosa, and "
                f"{model.backbone.kind} does not; change either"
            )

    def build(self) -> StosaObjective:
        """Make the objective."""
        return StosaObjective(self.negatives, self.weight)
