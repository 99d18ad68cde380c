"""Softmax cross-entropy against every key, without ever holding all the logits."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.nn.scattered import Scattered

# 16 MB of float32 logits a chunk, half of bfloat16: large enough for the product, small enough to stay near the cores.
CHUNK_ELEMENTS = 4_000_000


def linear_cross_entropy(
    queries: Sequence[Float[Tensor, "P K"]],
    keys: Sequence[Float[Tensor, "_ K"]],
    targets_P: Int[Tensor, " P"],
    dtype: torch.dtype | None = None,
    scattered: Scattered | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(logits)[target], logits = [queries_g . keys_g^T for each group g].

    Groups of keys may be asked by different queries (items that lack a modality weigh their components
    otherwise); the softmax runs over all groups together. Logits exist one chunk of rows at a time, and the
    gradients are formed in the forward pass while a chunk is at hand, so that nothing is computed twice.

    Args:
        queries: one [P, K] matrix a group.
        keys: one [N_g, K] matrix a group.
        targets_P: for each row its target's column in the concatenated logits.
        dtype: of the logits, their softmax and the products; the matrices' own unless given. Sums over rows, the
            loss and its gradients are always of the matrices' own.


        scattered: is added to the logits.

    Returns:
        A scalar. No rows: zero.
    """
    if targets_P.numel() == 0:
        return queries[0].sum() * 0.0
    dtype = dtype or queries[0].dtype
    if scattered is None:
        scattered = Scattered(targets_P[:, None][:, :0], queries[0][:, :0])
    return _LinearCrossEntropy.apply(targets_P, dtype, len(queries), *scattered, *queries, *keys)  # type: ignore[no-untyped-call]


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        targets_P: Tensor,
        dtype: torch.dtype,
        groups: int,
        columns_PX: Tensor,
        values_PX: Tensor,
        *matrices: Tensor,
    ) -> Tensor:
        gradients = [torch.zeros_like(matrix) for matrix in (*matrices, values_PX)]
        cast = [matrix.to(dtype) for matrix in matrices]
        queries, keys = cast[:groups], cast[groups:]
        sizes = [len(key) for key in keys]
        rows, columns = len(targets_P), sum(sizes)
        chunk = max(1, min(rows, CHUNK_ELEMENTS // columns))
        buffer = queries[0].new_empty(chunk, columns)
        total = matrices[0].new_zeros(())
        for begin in range(0, rows, chunk):
            part = slice(begin, min(begin + chunk, rows))
            logits = buffer[: part.stop - part.start]
            for query, key, columns_of_group in zip(queries, keys, logits.split(sizes, 1), strict=True):
                torch.mm(query[part], key.T, out=columns_of_group) if groups == 1 else columns_of_group.copy_(
                    query[part] @ key.T
                )
            Scattered(columns_PX[part], values_PX[part]).add_to(logits)
            target = targets_P[part, None]
            largest = logits.amax(1, keepdim=True)
            margin = largest - logits.gather(1, target)
            torch.softmax(logits, 1, out=logits)
            # The largest probability is 1 / sum(exp(logits - largest)).
            total += (margin.to(total) - logits.amax(1, keepdim=True).to(total).log()).sum()
            logits[torch.arange(len(logits), device=logits.device), targets_P[part]] -= 1
            gradients[-1][part] = logits.gather(1, columns_PX[part])
            for g, slope in enumerate(logits.split(sizes, 1)):
                gradients[g][part] = slope @ keys[g]
                gradients[groups + g] += slope.T @ queries[g][part]
        for gradient in gradients:
            gradient /= rows
        ctx.save_for_backward(*gradients)
        return total / rows

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        *of_matrices, of_values = (slopes[0] * gradient for gradient in ctx.saved_tensors)
        return None, None, None, None, of_values, *of_matrices
