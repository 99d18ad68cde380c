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

Distance = Literal["cosine", "euclidean"]


class Lambdas(Config):
    """Weights of the interaction losses (equation 9); `unique` counts for every modality not named in `uniques`."""

    unique: float = Field(0.1, ge=0)
    uniques: dict[str, Annotated[float, Field(ge=0)]] = {}
    redundancy: float = Field(0.1, ge=0)
    synergy: float = Field(0.1, ge=0)

    def of_unique(self, modality: str) -> float:
        """Return the weight of one modality's unique part."""
        return self.uniques.get(modality, self.unique)


def triplet_loss(
    anchor: Float[Tensor, "I D"],
    positive: Float[Tensor, "I D"],
    negative: Float[Tensor, "I D"],
    margin: float,
    distance: Distance,
) -> Float[Tensor, " I"]:
    """Return max(0, margin + d(anchor, positive) - d(anchor, negative)); d = 1 - cosine in the paper.

    The release takes the Euclidean distance and a margin of 1.
    """
    if distance == "euclidean":
        return F.triplet_margin_loss(anchor, positive, negative, margin, eps=1e-7, reduction="none")
    return (margin + cosine(anchor, negative) - cosine(anchor, positive)).clamp_min(0)


def view_similarity(
    full_ID: Float[Tensor, "I D"], views_M: Sequence[Float[Tensor, "I D"]], present_IM: Bool[Tensor, "I M"]
) -> Float[Tensor, " I"]:
    """Return the mean cosine between the full view and the views that keep one present modality alone."""
    similarity_IM = torch.stack([cosine(full_ID, view_ID) for view_ID in views_M], 1)
    return (similarity_IM * present_IM).sum(1) / present_IM.sum(1).clamp_min(1)


def mean_over(values_I: Float[Tensor, " I"], counted_I: Bool[Tensor, " I"]) -> Float[Tensor, ""]:
    """Return the mean over the items that count; zero if none does."""
    return torch.where(counted_I, values_I, 0).sum() / counted_I.sum().clamp_min(1)


def interaction_losses(
    roles_J: Sequence[Role],
    views_J: Sequence[Views],
    present_IM: Bool[Tensor, "I M"],
    margin: float,
    distance: Distance,
) -> Float[Tensor, " J"]:
    """Return the losses of J experts.

    The paper has two modalities, where "only the image" and "without the text" are one view. With more, the
    unique part of m is to follow the view that keeps m alone and to leave the view that masks m alone; synergy and
    redundancy compare the full view with each view that keeps one modality.

    An item that lacks m counts in no term of m; it counts for synergy and redundancy while it has any modality.

    Args:
        roles_J: what each expert is for.
        views_J: what each says of I items.
        present_IM: which modalities each item has.
        margin: of the triplets.
        distance: of the triplets.
    """
    described_I = present_IM.any(1)

    def loss(role: Role, views: Views) -> Tensor:
        if isinstance(role, int):
            alone, without = views.masked
            values_I = triplet_loss(views.full_ID, alone, without, margin, distance)
            return mean_over(values_I, present_IM[:, role])
        similarity_I = view_similarity(views.full_ID, views.masked, present_IM)
        return mean_over(similarity_I if role == "synergy" else 1 - similarity_I, described_I)

    return torch.stack([loss(role, views) for role, views in zip(roles_J, views_J, strict=True)])
