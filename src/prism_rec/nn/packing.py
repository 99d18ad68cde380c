"""Rows of different lengths, kept one after another, and padded only in the blocks that a network reads."""

from collections.abc import Callable, Iterator
from math import log

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from prism_rec.nn.rows import gather_rows

# The lengths of one block differ by this factor at most. A smaller factor computes less padding and makes more blocks;
# at 1.5 a batch of the Amazon histories has eight or nine blocks, of which an eighth is padding.
GROWTH = 1.5


class Packing:
    """Which of P places belong to which of B rows, and how the rows are put side by side in blocks.

    Packed values are [P, ...]: the places of row 0, then those of row 1, and so on, without padding. A block is
    [b, l, ...]: rows of similar lengths, padded on the right. Padding repeats the last place of its row, so that it is
    finite and harmless.

    For instance, lengths [3, 1, 1] make 5 places and two blocks. The cells of all blocks, block after block, are C = 5:

        place              0  1  2 | 3 | 4      rows 0, 1 and 2
        first block, 2x1   [[3], [4]]           rows 1 and 2
        second block, 1x3  [[0, 1, 2]]          row 0
        place_C            3  4  0  1  2        the place that each cell shows
        cell_P             2  3  4  0  1        the cell that shows each place; never one of padding

    So `packed[place_C]` is the content of all blocks, and `cells[cell_P]` packs what was computed in them.

    Args:
        lengths_B: at least 1 each, at least one row.
    """

    def __init__(self, lengths_B: Int[Tensor, " B"]) -> None:
        self.lengths_B = lengths_B
        self.starts_B = lengths_B.cumsum(0) - lengths_B
        size_B = (lengths_B.double().log() / log(GROWTH)).ceil()
        self.rows = [(size_B == size).nonzero().squeeze(1) for size in size_B.unique()]
        places, real = zip(*(self._cells(rows) for rows in self.rows), strict=True)
        self.shapes = [place_bl.shape for place_bl in places]
        self.place_C = torch.cat([place_bl.flatten() for place_bl in places])
        real_C = torch.cat([real_bl.flatten() for real_bl in real])
        # The cells that are not padding, in the order of the blocks.
        real_cells_P = real_C.nonzero().squeeze(1)
        self.cell_P = torch.empty_like(real_cells_P)
        self.cell_P[self.place_C[real_cells_P]] = real_cells_P

    def owners(self) -> Int[Tensor, " P"]:
        """Return the row that each place belongs to."""
        rows_B = torch.arange(len(self.lengths_B), device=self.lengths_B.device)
        return rows_B.repeat_interleave(self.lengths_B)

    def blocks(self, packed: Float[Tensor, "P ..."]) -> Iterator[tuple[Tensor, Int[Tensor, " b"]]]:
        """Yield each block [b, l, ...] with the lengths of its rows."""
        # One gather serves all blocks. In the backward pass it makes one gradient as large as `packed`; a gather per
        # block would make one such gradient per block.
        cells = gather_rows(packed, self.place_C).split([shape.numel() for shape in self.shapes])
        for block, shape, rows in zip(cells, self.shapes, self.rows, strict=True):
            yield block.unflatten(0, shape), self.lengths_B[rows]

    def each_place(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "P ..."]:
        """Apply `function(block, lengths) -> [b, l, ...]` to every block and pack the results."""
        done = [function(block, lengths).flatten(0, 1) for block, lengths in self.blocks(packed)]
        return gather_rows(torch.cat(done), self.cell_P)

    def each_row(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "B ..."]:
        """Apply `function(block, lengths) -> [b, ...]` to every block and put the results in the order of the rows."""
        done = [function(block, lengths) for block, lengths in self.blocks(packed)]
        return gather_rows(torch.cat(done), torch.cat(self.rows).argsort())

    def means(self, rows_ID: Float[Tensor, "I D"], index_P: Int[Tensor, " P"]) -> Float[Tensor, "B D"]:
        """Return the mean of some rows of a matrix over the places of each history: `index_P` has one per place."""
        return F.embedding_bag(index_P, rows_ID, self.starts_B, mode="mean")

    def last(self, packed: Float[Tensor, "P ..."]) -> Float[Tensor, "B ..."]:
        """Return the value at each row's last place."""
        return gather_rows(packed, self.starts_B + self.lengths_B - 1)

    def _cells(self, rows: Int[Tensor, " b"]) -> tuple[Int[Tensor, "b l"], Bool[Tensor, "b l"]]:
        """Return, for the block of some rows, the place that each cell shows, and whether the cell is not padding."""
        last_b1 = self.lengths_B[rows, None] - 1
        columns_l = torch.arange(int(last_b1.max()) + 1, device=rows.device)
        return self.starts_B[rows, None] + columns_l.minimum(last_b1), columns_l <= last_b1


class OneBlock(Packing):
    """Rows that are one block already: each has `window` places, those after its length are padding.

    For programs that are traced, in which shapes may not depend on the lengths. Unlike in `Packing`, values at padding
    are computed too; they are finite and have no meaning.

    Args:
        lengths_B: at least 1 each.
        window: number of places of each row.
    """

    def __init__(self, lengths_B: Int[Tensor, " B"], window: int) -> None:
        self.lengths_B = lengths_B
        self.window = window
        self.starts_B = torch.arange(len(lengths_B), device=lengths_B.device) * window

    def owners(self) -> Int[Tensor, " P"]:
        """Return the row that each place belongs to."""
        rows_B1 = torch.arange(len(self.lengths_B), device=self.lengths_B.device)[:, None]
        return rows_B1.expand(-1, self.window).flatten()

    def blocks(self, packed: Float[Tensor, "P ..."]) -> Iterator[tuple[Tensor, Int[Tensor, " b"]]]:
        """Yield the block [B, window, ...] with the lengths of its rows."""
        yield packed.unflatten(0, (-1, self.window)), self.lengths_B

    def each_place(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "P ..."]:
        """Apply `function(block, lengths) -> [B, window, ...]`."""
        ((block, lengths_B),) = self.blocks(packed)
        return function(block, lengths_B).flatten(0, 1)

    def each_row(
        self, function: Callable[[Tensor, Tensor], Tensor], packed: Float[Tensor, "P ..."]
    ) -> Float[Tensor, "B ..."]:
        """Apply `function(block, lengths) -> [B, ...]`."""
        ((block, lengths_B),) = self.blocks(packed)
        return function(block, lengths_B)

    def means(self, rows_ID: Float[Tensor, "I D"], index_P: Int[Tensor, " P"]) -> Float[Tensor, "B D"]:
        """Return the mean of some rows of a matrix over the places of each row that are not padding."""
        real_BL = torch.arange(self.window, device=index_P.device) < self.lengths_B[:, None]
        block_BLD = gather_rows(rows_ID, index_P.unflatten(0, (-1, self.window)))
        return (block_BLD * real_BL[..., None]).sum(1) / self.lengths_B[:, None]
