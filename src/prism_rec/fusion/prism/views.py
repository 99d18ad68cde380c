"""Masked views: the experts' outputs if some modalities of an item are hidden (PRISM, equations 2 to 4)."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from prism_rec.fusion.prism.experts import Experts

Mask = Literal["random", "mean", "zero"]

# The kind of information an expert is for: unique to the m-th modality, shared by modalities, or made by them together.
Role = int | Literal["redundancy", "synergy"]


class Views(NamedTuple):
    """One expert's outputs for I items with nothing masked, and under the masks that its loss compares."""

    full_ID: Float[Tensor, "I D"]
    # Each [I, D]. The unique expert of m: only m shown, then all but m. The others: for each m, only m shown.
    masked: tuple[Tensor, ...]


def make_masks(
    mask: Mask, projected_IMD: Float[Tensor, "I M D"], present_IM: Bool[Tensor, "I M"]
) -> Float[Tensor, "I M D"]:
    """Return the vectors that replace each modality of an item if it is hidden.

    `random` is noise, drawn again at each call; `mean` is the mean of the modality over these items; `zero` is zero.
    An absent modality is not replaced: its stand-in stays.
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

    An absent modality is not replaced: its stand-in stays.
    """
    # The norm is only a scale; no gradient passes through it.
    kept = projected_IMD.detach()
    noise = torch.randn_like(kept)
    noise = noise * (kept.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True))
    return torch.where(present_IM[..., None], noise, projected_IMD)


def masked_views(
    experts: Experts,
    roles_J: Sequence[Role],
    full_JID: Float[Tensor, "J I D"],
    shown: Sequence[Float[Tensor, "I D"]],
    masks: Sequence[Float[Tensor, "*J I D"]],
) -> list[Views]:
    """Return each expert's outputs with nothing masked, with all but one modality masked, and with one masked.

    Args:
        experts: the networks.
        roles_J: the role of each.
        full_JID: their outputs with nothing masked.
        shown: M tensors, each modality's vectors.
        masks: M tensors that replace them, the same for all experts or one set per expert.
    """
    modalities = len(shown)
    shares = [experts.share(m, vectors) for m, vectors in enumerate(shown)]
    masked = [experts.share(m, vectors) for m, vectors in enumerate(masks)]

    def view(kept: set[int]) -> tuple[Tensor, ...]:
        kept_shares = [shares[m] if m in kept else masked[m] for m in range(modalities)]
        return experts.of_shares(kept_shares).unbind()

    everything = set(range(modalities))
    only = [view({m}) for m in range(modalities)]
    # With two modalities, the view without one is the view of the other: the same tensor, without a second pass.
    without = only[::-1] if modalities == 2 else [view(everything - {m}) for m in range(modalities)]

    def of_expert(j: int, role: Role) -> tuple[Tensor, ...]:
        return (
            (only[role][j], without[role][j])
            if isinstance(role, int)
            else tuple(outputs[j] for outputs in only)
        )

    return [Views(full_JID[j], of_expert(j, role)) for j, role in enumerate(roles_J)]
