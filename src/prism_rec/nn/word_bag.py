"""A linear map of sparse rows: the weighted sum of a trainable vector for each word."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.nn.dropout import Dropout


class SparseRows(NamedTuple):
    """I rows of numbers, of which those Z that are not zero are kept, row by row."""

    offsets_I: Int[Tensor, " I"]  # where each row begins among the Z
    columns_Z: Int[Tensor, " Z"]
    values_Z: Float[Tensor, " Z"]

    def lengths(self) -> Int[Tensor, " I"]:
        """Return how many numbers each row has."""
        return (
            torch.cat([self.offsets_I[1:], self.offsets_I.new_tensor([len(self.columns_Z)])]) - self.offsets_I
        )

    def take(self, rows: Int[Tensor, " _"]) -> "SparseRows":
        """Return some of the rows."""
        lengths = self.lengths()[rows]
        offsets = lengths.cumsum(0) - lengths
        shift_Z = (self.offsets_I[rows] - offsets).repeat_interleave(lengths)
        cells_Z = torch.arange(len(shift_Z), device=shift_Z.device) + shift_Z
        return SparseRows(offsets, self.columns_Z[cells_Z], self.values_Z[cells_Z])

    def times(self, matrix_VD: Float[Tensor, "V D"]) -> Float[Tensor, "I D"]:
        """Return the product with a dense matrix."""
        return F.embedding_bag(
            self.columns_Z, matrix_VD, self.offsets_I, mode="sum", per_sample_weights=self.values_Z
        )


class ByColumn(NamedTuple):
    """Where the numbers of sparse rows stand when they are sorted by column."""

    offsets_V: Int[Tensor, " V"]  # where each column begins
    rows_Z: Int[Tensor, " Z"]
    cells_Z: Int[Tensor, " Z"]  # their places among the numbers sorted by row

    @classmethod
    def of(cls, rows: SparseRows, width: int) -> "ByColumn":
        """Sort the numbers of sparse rows with `width` columns."""
        counts_V = rows.columns_Z.bincount(minlength=width)
        row_Z = torch.arange(len(rows.offsets_I), device=counts_V.device).repeat_interleave(rows.lengths())
        cells_Z = rows.columns_Z.argsort(stable=True)
        return cls(counts_V.cumsum(0) - counts_V, row_Z[cells_Z], cells_Z)


class WordBag(nn.Module):
    """A vector of D for each of V words; an item's vector is the sum of its words', weighted by its row.

    Args:
        words: V.
        width: D.
        std: of the first weights, N(0, std^2). Rows of length 1 then give vectors of length `std` sqrt(D).
        dropout: probability that a word of an item is left out during training; the others are scaled up.
    """

    def __init__(self, words: int, width: int, std: float = 0.05, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.weight_VD = nn.Parameter(torch.randn(words, width) * std)

    def forward(self, rows: SparseRows, by_column: ByColumn | None = None) -> Float[Tensor, "I D"]:
        """Return the vectors of I items.

        Args:
            rows: [I, V].
            by_column: the same rows by column, if that is known: the gradient then takes an eighth of the time on the
                CPU.
        """
        rows = rows._replace(values_Z=self.dropout(rows.values_Z))
        if by_column is None:
            return rows.times(self.weight_VD)
        return _Product.apply(self.weight_VD, *rows, *by_column)  # type: ignore[no-untyped-call]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight_VD: Tensor, *parts: Tensor) -> Tensor:
        rows, by_column = SparseRows(*parts[:3]), ByColumn(*parts[3:])
        ctx.save_for_backward(by_column.offsets_V, by_column.rows_Z, rows.values_Z[by_column.cells_Z])
        return rows.times(weight_VD)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return SparseRows(*ctx.saved_tensors).times(gradients[0].contiguous()), *[None] * 6
