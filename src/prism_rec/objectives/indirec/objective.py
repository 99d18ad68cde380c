"""InDiRec's objective over any encoder: L = L_rec + a L_diff + b L_cl.

Only the last position of each segment is trained. Differences from the release: each segment uses its own intent (the
release uses the first one's for the whole batch), memberships are found again for each epoch, and a guide is encoded
once for both its uses. The diffusion is not used in ranking.

x0, the vector that the diffusion learns to find, is the target as `SequenceRecommender.vectors` returns it: its id,
plus its weighted components if candidates have them. With STOSA it is the id's mean, and its covariance before ELU + 1.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from prism_rec.batches import BatchPlan
from prism_rec.batches.training import NOTHING_TO_LEARN
from prism_rec.data.histories import Histories
from prism_rec.errors import DataError, SettingsError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.base import Objective, ObjectiveSettings, Outcome
from prism_rec.objectives.cross_entropy import Precision, catalogue_cross_entropy, check_precision
from prism_rec.objectives.indirec.contrastive import info_nce
from prism_rec.objectives.indirec.diffusion import GuidedDiffusion, ScheduleName
from prism_rec.objectives.indirec.intents import Intents, k_means
from prism_rec.objectives.indirec.segments import SegmentBatch, SegmentBatches, Segments

# Segments encoded at once before an epoch.
CHUNK = 2048


class InDiRec(Objective):
    """Recommendation, a diffusion of the target guided by an intent, and a contrast between the results of both."""

    diffusion: GuidedDiffusion
    segment_batches: SegmentBatches

    def __init__(self, config: "InDiRecConfig") -> None:
        super().__init__()
        self.config = config

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Make the diffusion, as wide as an item's id."""
        self.diffusion = GuidedDiffusion(
            model.items.ids.embedding_dim,
            self.config.schedule,
            self.config.steps,
            self.config.guidance,
            self.config.null_probability,
        ).to(model.items.ids.weight)

    def batches(self, histories: Histories, plan: BatchPlan) -> SegmentBatches:
        """Return batches of segments and guides; an epoch's guides depend on the intents found last.

        Raises:
            DataError: there is no segment.
        """
        segments = Segments.cut(histories, plan.max_length)
        if not len(segments):
            raise DataError(NOTHING_TO_LEARN)
        self.segment_batches = SegmentBatches(segments, plan)
        return self.segment_batches

    def begin_epoch(self, model: SequenceRecommender, epoch: int) -> None:
        """Find the intents: clusters of the states of the epoch's segments. Segments of one intent guide each other."""
        batches = self.segment_batches
        chosen = batches.chosen(epoch)
        labels = k_means(
            segment_states(model, batches.segments, chosen),
            self.config.intents,
            self.config.iterations,
            self.config.restarts,
        )
        batches.intents = Intents(labels.cpu().numpy(), chosen)

    def forward(self, model: SequenceRecommender, batch: SegmentBatch) -> Outcome:
        """Return the loss of one batch of segments."""
        reading = model.read(batch.items_P, batch.lengths_B)
        everybody = model.encode_last(reading)
        own_G = torch.arange(len(batch.targets_G), device=model.device)
        users = everybody.take(own_G)
        guides_GD = everybody.states[len(own_G) :]
        recommendation = catalogue_cross_entropy(
            model, users, reading.items, batch.targets_G, self.config.precision
        )
        targets_GD = model.vectors(users, batch.targets_G, reading.items)
        diffusion = self.diffusion.loss(targets_GD, guides_GD)
        generated_GD = self.diffusion.generate(guides_GD)
        contrast = info_nce(generated_GD, users.states, batch.targets_G, self.config.temperature)
        loss = (
            recommendation
            + self.config.diffusion_weight * diffusion
            + self.config.contrastive_weight * contrast
        )
        return Outcome(loss, reading.first(len(own_G)), terms=len(own_G))


@torch.no_grad()
def segment_states(
    model: SequenceRecommender, segments: Segments, chosen: np.ndarray
) -> Float[Tensor, "G D"]:
    """Return the state after each of the chosen segments, without dropout."""
    model.eval()
    items = model.item_set()
    states = []
    for chunk in np.array_split(chosen, -(-len(chosen) // CHUNK)):
        items_P, lengths_B = (tensor.to(model.device) for tensor in segments.histories(chunk))
        states.append(model.encode_last(model.read(items_P, lengths_B, items=items)).states)
    return torch.cat(states)


class InDiRecConfig(ObjectiveSettings):
    """Settings of `indirec`.

    Published: `diffusion_weight` 1, `contrastive_weight` .2, `steps` 50, `intents` 32 for Beauty; 1, .4, 200, 256 for
    Sports; .2, .2, 200, 1024 for Toys.
    """

    kind: Literal["indirec"] = "indirec"
    """Name of the objective."""
    diffusion_weight: float = Field(1.0, ge=0)
    """Weight a of the diffusion's loss."""
    contrastive_weight: float = Field(0.2, ge=0)
    """Weight b of the contrastive loss."""
    intents: int = Field(32, ge=1)
    """Number of clusters K, found by k-means before each epoch."""
    iterations: int = Field(20, ge=1)
    """Most iterations of k-means."""
    restarts: int = Field(5, ge=1, le=1000)
    """Number of runs of k-means; the best is used."""
    steps: int = Field(50, ge=1)
    """Number of noise steps T."""
    schedule: ScheduleName = "exp"
    """How the noise grows over the steps: `exp`, `linear`, `cosine` or `sqrt`."""
    guidance: float = Field(2.0, ge=0)
    """Strength w of the guide in generation; with 0, generation follows the guide without exaggeration."""
    null_probability: float = Field(0.1, ge=0, le=1)
    """Probability that a guide is left out in training."""
    temperature: float = Field(1.0, gt=0)
    """Divides the similarities of the contrastive loss."""
    precision: Precision = "float32"
    """Number format of the catalogue's scores; see `cross_entropy`."""

    def check(self, model: ModelConfig) -> None:
        """Refuse an odd width, because a step's vector is half sines and half cosines; refuse distances in bfloat16.

        Rules are refused too, because a segment does not know which items come next in its history.

        Raises:
            SettingsError: the width is odd, or `model.rules` is given; see `check_precision`.
        """
        if model.rules is not None:
            raise SettingsError(
                "objective indirec cannot train model.rules; use cross_entropy, or leave it out"
            )
        check_precision(self.precision, model)
        if model.width % 2:
            raise SettingsError(f"objective indirec needs an even model.width, not {model.width}; change it")

    def build(self) -> InDiRec:
        """Make the objective."""
        return InDiRec(self)
