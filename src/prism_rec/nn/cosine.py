"""Cosine similarity of rows, whose gradient takes few passes over memory."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

# A shorter vector counts as zero, whose cosine with any vector is 0.
EPSILON = 1e-8


def cosine(one: Float[Tensor, "*I D"], other: Float[Tensor, "*I D"]) -> Float[Tensor, "*I"]:
    """Return the cosine of each row of one with the same row of the other.

    torch.cosine_similarity normalises both inputs and makes about twenty passes over memory, forward and backward. For
    narrow rows that costs as much as the matrix products around it.
    """
    return _Cosine.apply(one, other)  # type: ignore[no-untyped-call]


class _Cosine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Tensor) -> Tensor:
        scale_one = 1 / one.norm(dim=-1).clamp_min(EPSILON)
        scale_other = 1 / other.norm(dim=-1).clamp_min(EPSILON)
        similarity = (one * other).sum(-1) * scale_one * scale_other
        ctx.save_for_backward(one, other, similarity, scale_one, scale_other)
        return similarity

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """D cos / d a = b / (|a| |b|) - cos a / |a|^2."""
        one, other, similarity, scale_one, scale_other = ctx.saved_tensors
        shared = (gradient * scale_one * scale_other)[..., None]
        along = gradient * similarity
        return (
            torch.addcmul(other * shared, one, (along * scale_one.square())[..., None], value=-1),
            torch.addcmul(one * shared, other, (along * scale_other.square())[..., None], value=-1),
        )
