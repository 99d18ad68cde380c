"""Cosine similarity of rows with a gradient in few passes over memory."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

# Below this length a vector counts as zero, whose cosine with anything is 0.
EPSILON = 1e-8


def cosine(one: Float[Tensor, "*I D"], other: Float[Tensor, "*I D"]) -> Float[Tensor, "*I"]:
    """Return the cosine of each row of one with the same row of the other.

    PyTorch's own divides both by their lengths first, and so goes over them some twenty times forth and back; where
    the rows are few enough numbers for the products around them to be fast, that costs as much as the products.
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
