"""Masked views: what an item's modalities become when all but some are hidden (PRISM, equations 2 to 4)."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from prism_rec.fusion.prism.experts import Experts

Mask = Literal["random", "mean", "zero"]


class Views(NamedTuple):
    """What the experts say of I items under the masks that a loss looks at; each tensor is one expert's [I, D]."""

    full_J: Sequence[Tensor]  # nothing masked
    alone_M: Sequence[Tensor]  # unique expert m, all but m masked
    without_M: Sequence[Tensor]  # unique expert m, m masked
    redundancy_M: Sequence[Tensor]  # all but m masked
    synergy_M: Sequence[Tensor]  # all but m masked


def make_masks(
    mask: Mask, projected_IMD: Float[Tensor, "I M D"], present_IM: Bool[Tensor, "I M"]
) -> Float[Tensor, "I M D"]:
    """Return what stands for each modality of an item where it is hidden.

    `random` is noise, drawn anew at each call; `mean` the mean of the modality over the items at hand; `zero` nothing.
    An absent modality is not replaced: the vector that stands for it stays.
    """
    if mask == "random":
        return draw_noise(projected_IMD, present_IM)
    total_MD = (projected_IMD.detach() * present_IM[..., None]).sum(0)
    mean_MD = total_MD / present_IM.sum(0).clamp_min(1)[:, None]
    stand_in_MD = mean_MD if mask == "mean" else torch.zeros_like(mean_MD)
    return torch.where(present_IM[..., None], stand_in_MD, projected_IMD)


def draw_noise(
    projected_IMD: Float[Tensor, "I M D"], present_IM: Bool[Tensor, "I M"]
) -> Float[Tensor, "I M D"]:
    """Return r ~ N(0, I), rescaled to the norm of the vector that it replaces.

    An absent modality is not replaced: the vector that stands for it stays.
    """
    # The norm is a scale, not something to be learned through.
    kept = projected_IMD.detach()
    noise = torch.randn_like(kept)
    noise = noise * (kept.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True))
    return torch.where(present_IM[..., None], noise, projected_IMD)


def masked_views(
    experts: Experts,
    full_JID: Float[Tensor, "J I D"],
    shown: Sequence[Float[Tensor, "I D"]],
    masks: Sequence[Float[Tensor, "*J I D"]],
) -> Views:
    """Return what the experts say with nothing masked, all but one modality masked, and one masked.

    Args:
        experts: the networks.
        full_JID: their outputs with nothing masked, which are at hand already.
        shown: M tensors, each modality's vectors.
        masks: M tensors that take their place, the same for all experts or one set each.
    """
    modalities = len(shown)
    shares = [experts.share(m, vectors) for m, vectors in enumerate(shown)]
    masked = [experts.share(m, vectors) for m, vectors in enumerate(masks)]

    def view(kept: set[int]) -> tuple[Tensor, ...]:
        kept_shares = [shares[m] if m in kept else masked[m] for m in range(modalities)]
        return experts.of_shares(kept_shares).unbind()

    everything = set(range(modalities))
    only = [view({m}) for m in range(modalities)]
    # Of two modalities, the view without one is the view of the other alone: the same tensor, not a second pass.
    without = only[::-1] if modalities == 2 else [view(everything - {m}) for m in range(modalities)]
    return Views(
        full_J=full_JID.unbind(),
        alone_M=[only[m][m] for m in range(modalities)],
        without_M=[without[m][m] for m in range(modalities)],
        redundancy_M=[view[-2] for view in only],
        synergy_M=[view[-1] for view in only],
    )
