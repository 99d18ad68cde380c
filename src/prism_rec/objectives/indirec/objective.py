"""InDiRec's objective over any encoder: L = L_rec + a L_diff + b L_cl.

Only the last position of each segment is trained. What differs from the release: each segment's own intent counts
(there the first one's for the whole batch), memberships are forgotten with the epoch, and a guide is encoded once for
both its uses. The diffusion plays no part in ranking.

x0, the target, is what `SequenceRecommender.vectors` makes of it: its id, and its weighted components where candidates
have them; with STOSA the id's mean, and its covariance before ELU + 1.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from prism_rec.batches.padded import NOTHING_TO_LEARN
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender, UserStates
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
    """Recommendation, diffusion of the target guided by an intent, and a contrast of what both make of a segment."""

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

    def batches(
        self,
        histories: Histories,
        max_length: int,
        batch_size: int,
        seed: int,
        max_targets: int | None = None,
    ) -> SegmentBatches:
        """Return batches of segments and guides; an epoch's guides follow the intents last found.

        Raises:
            InputError: there is not one segment.
        """
        segments = Segments.cut(histories, max_length)
        if not len(segments):
            raise InputError(NOTHING_TO_LEARN)
        self.segment_batches = SegmentBatches(segments, batch_size, seed, max_targets)
        return self.segment_batches

    def begin_epoch(self, model: SequenceRecommender, epoch: int) -> None:
        """Find the intents: clusters of the states of all the epoch's segments, which then guide each other."""
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
        items = model.item_set(batch.histories_BL)
        history = model.history(batch.histories_BL, batch.lengths_B, items)
        everyone = model.encode_last(history)
        own = len(batch.targets_S)
        users = UserStates(*(part[:own] for part in everyone))
        guides_SD = everyone.states[own:]
        recommendation = catalogue_cross_entropy(model, users, items, batch.targets_S, self.config.precision)
        diffusion = self.diffusion.loss(model.vectors(users, batch.targets_S, items), guides_SD)
        generated_SD = self.diffusion.generate(guides_SD)
        contrast = info_nce(generated_SD, users.states, batch.targets_S, self.config.temperature)
        loss = (
            recommendation
            + self.config.diffusion_weight * diffusion
            + self.config.contrastive_weight * contrast
        )
        return Outcome(loss, history.first(own))


@torch.no_grad()
def segment_states(
    model: SequenceRecommender, segments: Segments, chosen: np.ndarray
) -> Float[Tensor, "S D"]:
    """Return the state after each of the chosen segments, as the model has it without dropout."""
    model.eval()
    items = model.item_set()
    states = []
    for chunk in np.array_split(chosen, -(-len(chosen) // CHUNK)):
        histories_BL, lengths_B = (tensor.to(model.device) for tensor in segments.histories(chunk))
        states.append(model.encode_last(model.history(histories_BL, lengths_B, items)).states)
    return torch.cat(states)


class InDiRecConfig(ObjectiveSettings):
    """Settings of `indirec`.

    `diffusion_weight` is a, `contrastive_weight` b; `intents` K, found anew before each epoch by k-means of up to
    `iterations`, the best of `restarts`; `steps` T of noise on the `schedule`; `guidance` w; `null_probability` how
    often a guide is left out; `temperature` of the contrast; `precision` as for `cross_entropy`. Published: a 1, b .2,
    T 50, K 32 for Beauty; 1, .4, 200, 256 for Sports; .2, .2, 200, 1024 for Toys.
    """

    kind: Literal["indirec"] = "indirec"
    diffusion_weight: float = Field(1.0, ge=0)
    contrastive_weight: float = Field(0.2, ge=0)
    intents: int = Field(32, ge=1)
    iterations: int = Field(20, ge=1)
    restarts: int = Field(5, ge=1)
    steps: int = Field(50, ge=1)
    schedule: ScheduleName = "exp"
    guidance: float = Field(2.0, ge=0)
    null_probability: float = Field(0.1, ge=0, le=1)
    temperature: float = Field(1.0, gt=0)
    precision: Precision = "float32"

    def check(self, model: ModelConfig) -> None:
        """Refuse an odd width: a step's vector is half sines and half cosines. And distances in bfloat16.

        Raises:
            InputError: the width is odd; see `check_precision`.
        """
        check_precision(self.precision, model)
        if model.width % 2:
            raise InputError(f"objective indirec needs an even model.width, not {model.width}; change it")

    def build(self) -> InDiRec:
        """Make the objective."""
        return InDiRec(self)
