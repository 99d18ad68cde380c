"""The interaction losses (PRISM, equations 5 to 9)."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from prism_rec.config import Config
from prism_rec.fusion.prism.views import Role, Views
from prism_rec.nn.cosine import cosine
from prism_rec.nn.processes import per_process

Distance = Literal["cosine", "euclidean"]


class Lambdas(Config):
    """Weights of the interaction losses (equation 9)."""

    unique: float = Field(0.1, ge=0)
    """Weight of the loss of each unique expert, unless `uniques` names its modality."""
    uniques: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Weights of the losses of single unique experts, by modality."""
    redundancy: float = Field(0.1, ge=0)
    """Weight of the loss of the redundancy expert."""
    synergy: float = Field(0.1, ge=0)
    """Weight of the loss of the synergy expert."""

    def of_unique(self, modality: str) -> float:
        """Return the weight for the unique expert of one modality."""
        return self.uniques.get(modality, self.unique)


def triplet_loss(
    anchor: Float[Tensor, "I D"],
    positive: Float[Tensor, "I D"],
    negative: Float[Tensor, "I D"],
    margin: float,
    distance: Distance,
) -> Float[Tensor, " I"]:
    """Return max(0, margin + d(anchor, positive) - d(anchor, negative)); d = 1 - cosine in the paper.

    The release uses the Euclidean distance and a margin of 1.
    """
    if distance == "euclidean":
        return F.triplet_margin_loss(anchor, positive, negative, margin, eps=1e-7, reduction="none")
    return (margin + cosine(anchor, negative) - cosine(anchor, positive)).clamp_min(0)


def view_similarity(
    full_ID: Float[Tensor, "I D"], views_M: Sequence[Float[Tensor, "I D"]], present_IM: Bool[Tensor, "I M"]
) -> Float[Tensor, " I"]:
    """Return the mean cosine between the full view and the views that show one present modality only."""
    similarity_IM = torch.stack([cosine(full_ID, view_ID) for view_ID in views_M], 1)
    return (similarity_IM * present_IM).sum(1) / present_IM.sum(1).clamp_min(1)


def mean_over(values_I: Float[Tensor, " I"], counted_I: Bool[Tensor, " I"]) -> Float[Tensor, ""]:
    """Return the mean over the items of a batch that count; zero if no item does."""
    count = per_process(counted_I.sum())
    return torch.where(counted_I, values_I, 0).sum() / count.masked_fill(count == 0, 1)


def interaction_losses(
    roles_J: Sequence[Role],
    views_J: Sequence[Views],
    present_IM: Bool[Tensor, "I M"],
    margin: float,
    distance: Distance,
) -> Float[Tensor, " J"]:
    """Return the losses of J experts.

    The paper has two modalities, so that "only the image" and "without the text" are one view. With more modalities,
    the unique expert of m should be near the view that shows only m and far from the view that masks only m; synergy
    and redundancy compare the full view with each view that shows one modality.

    An item that lacks m counts in no term of m. It counts for synergy and redundancy if it has any modality.

    Args:
        roles_J: the role of each expert.
        views_J: each expert's views of I items.
        present_IM: which modalities each item has; none if another process counts the item.
        margin: of the triplets.
        distance: of the triplets.
    """
    described_I = present_IM.any(1)

    def loss(role: Role, views: Views) -> Tensor:
        if isinstance(role, int):
            only_ID, without_ID = views.masked
            values_I = triplet_loss(views.full_ID, only_ID, without_ID, margin, distance)
            return mean_over(values_I, present_IM[:, role])
        similarity_I = view_similarity(views.full_ID, views.masked, present_IM)
        return mean_over(similarity_I if role == "synergy" else 1 - similarity_I, described_I)

    return torch.stack([loss(role, views) for role, views in zip(roles_J, views_J, strict=True)])
