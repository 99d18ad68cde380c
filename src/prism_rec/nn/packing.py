"""Rows of different lengths, kept one after another and padded only where a network needs them side by side."""

from collections.abc import Callable, Iterator
from math import log

import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.nn.gather import gather_rows

# Rows of one block differ in length by this factor at most. A smaller one computes less for padding and takes more
# blocks; at 1.5 a batch of the Amazon histories is padded by an eighth, in eight or nine blocks.
GROWTH = 1.5


class Packing:
    """How B rows of some lengths, P places in all, are put side by side in blocks of about one length each.

    What is packed is [P, ...], row by row and without padding. A block is [b, l, ...], padded on the right with
    repetitions of each row's last place, so that what stands there is harmless and finite.

    Args:
        lengths_B: at least 1.
    """

    def __init__(self, lengths_B: Int[Tensor, " B"]) -> None:
        self.lengths_B = lengths_B
        self.starts_B = lengths_B.cumsum(0) - lengths_B
        size_B = (lengths_B.double().log() / log(GROWTH)).ceil()
        self.rows = [(size_B == size).nonzero().squeeze(1) for size in size_B.unique()]
        places, inside = zip(*(self._cells(rows) for rows in self.rows), strict=True)
        self.shapes = [place_bl.shape for place_bl in places]
        self.place_C = torch.cat([place_bl.flatten() for place_bl in places])
        real_C = torch.cat([inside_bl.flatten() for inside_bl in inside])
        cells_P = real_C.nonzero().squeeze(1)
        self.cell_P = torch.zeros_like(cells_P).index_copy(0, self.place_C[cells_P], cells_P)

    def owners(self) -> Int[Tensor, " P"]:
        """Return which row each place belongs to."""
        rows_B = torch.arange(len(self.lengths_B), device=self.lengths_B.device)
        return rows_B.repeat_interleave(self.lengths_B)

    def blocks(self, packed: Float[Tensor, "P ..."]) -> Iterator[tuple[Tensor, Int[Tensor, " b"]]]:
        """Yield [b, l, ...] and the lengths of its rows, block by block."""
        # All blocks are gathered at once: a gradient as large as `packed` then arises once, not once a block.
        cells = gather_rows(packed, self.place_C).split([shape.numel() for shape in self.shapes])
        for block, shape, rows in zip(cells, self.shapes, self.rows, strict=True):
            yield block.unflatten(0, shape), self.lengths_B[rows]

    def each_place(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "P ..."]:
        """Apply to every block a function (block, lengths) that returns something at each place, and pack that."""
        done = [function(block, lengths).flatten(0, 1) for block, lengths in self.blocks(packed)]
        return gather_rows(torch.cat(done), self.cell_P)

    def each_row(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "B ..."]:
        """Apply to every block a function (block, lengths) that returns something for each row."""
        done = [function(block, lengths) for block, lengths in self.blocks(packed)]
        return gather_rows(torch.cat(done), torch.cat(self.rows).argsort())

    def last(self, packed: Float[Tensor, "P ..."]) -> Float[Tensor, "B ..."]:
        """Return what stands at each row's last place."""
        return gather_rows(packed, self.starts_B + self.lengths_B - 1)

    def _cells(self, rows: Int[Tensor, " b"]) -> tuple[Tensor, Tensor]:
        """Return which place each cell of the block of some rows holds, and whether it is the row's own: [b, l]."""
        last_b1 = self.lengths_B[rows, None] - 1
        columns_l = torch.arange(int(last_b1.max()) + 1, device=rows.device)
        return self.starts_B[rows, None] + columns_l.minimum(last_b1), columns_l <= last_b1
