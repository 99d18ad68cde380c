"""Softmax cross-entropy against every key, without holding all logits at once."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.nn.sparse import Scattered

# 16 MB of float32 logits per chunk, or 8 MB of bfloat16: large enough for a fast product, small enough for the caches.
CHUNK_ELEMENTS = 4_000_000


def linear_cross_entropy(
    queries: Sequence[Float[Tensor, "P K"]],
    keys: Sequence[Float[Tensor, "_ K"]],
    targets_P: Int[Tensor, " P"],
    dtype: torch.dtype | None = None,
    scattered: Scattered | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(logits)[target], with logits = [queries_g . keys_g^T for each group g].

    Groups of keys may meet different queries: items that lack a modality weigh their components in another way. The
    softmax runs over all groups together. Logits exist for one chunk of rows at a time, and the gradients are computed
    in the forward pass while the chunk is in memory, so that nothing is computed twice.

    Args:
        queries: one matrix [P, K] per group.
        keys: one matrix [N_g, K] per group.
        targets_P: for each row, the column of its target in the concatenated logits.
        dtype: of the logits, their softmax and the products; by default that of the matrices. Sums over rows, the
            loss and its gradients always have the matrices' own dtype.
        scattered: is added to the logits, by their columns.

    Returns:
        A scalar; zero if there are no rows.
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
        gradients = [torch.zeros_like(matrix) for matrix in (values_PX, *matrices)]
        of_values_PX, *of_matrices = gradients
        cast = [matrix.to(dtype) for matrix in matrices]
        queries, keys = cast[:groups], cast[groups:]
        rows, columns = len(targets_P), sum(len(key) for key in keys)
        chunk = max(1, min(rows, CHUNK_ELEMENTS // columns))
        buffer = queries[0].new_empty(chunk, columns)
        total = matrices[0].new_zeros(())
        for begin in range(0, rows, chunk):
            part = slice(begin, min(begin + chunk, rows))
            logits = buffer[: part.stop - part.start]
            _write_logits(logits, [query[part] for query in queries], keys)
            Scattered(columns_PX[part], values_PX[part]).add_to(logits)
            total += _to_softmax(logits, targets_P[part, None], total.dtype).sum()
            # The slope of the loss with respect to the logits: softmax - 1 at the target.
            logits[torch.arange(len(logits), device=logits.device), targets_P[part]] -= 1
            of_values_PX[part] = logits.gather(1, columns_PX[part])
            for g, slope in enumerate(logits.split([len(key) for key in keys], 1)):
                of_matrices[g][part] = slope @ keys[g]
                of_matrices[groups + g] += slope.T @ queries[g][part]
        for gradient in gradients:
            gradient /= rows
        ctx.save_for_backward(*gradients)
        return total / rows

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, None, *(slopes[0] * gradient for gradient in ctx.saved_tensors)


def _write_logits(logits: Tensor, queries: Sequence[Tensor], keys: Sequence[Tensor]) -> None:
    """Fill the logits of one chunk of rows, the groups side by side."""
    if len(keys) == 1:
        torch.mm(queries[0], keys[0].T, out=logits)  # straight into the buffer, without a copy
        return
    columns = logits.split([len(key) for key in keys], 1)
    for columns_of_group, query, key in zip(columns, queries, keys, strict=True):
        columns_of_group.copy_(query @ key.T)


def _to_softmax(logits: Tensor, targets_R1: Tensor, dtype: torch.dtype) -> Tensor:
    """Replace the logits by their softmax, in place; return each row's -log softmax(logits)[target] in `dtype`."""
    largest_R1 = logits.amax(1, keepdim=True)
    margin_R1 = largest_R1 - logits.gather(1, targets_R1)
    torch.softmax(logits, 1, out=logits)
    # The largest probability is 1 / sum(exp(logits - largest)), so that its log gives the sum's log.
    return margin_R1.to(dtype) - logits.amax(1, keepdim=True).to(dtype).log()
