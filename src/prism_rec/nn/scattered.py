"""Numbers for a few columns of each row of a wide matrix."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Scattered(NamedTuple):
    """What is to be added to a matrix [P, N]; a column may be named several times."""

    columns_PX: Int[Tensor, "P X"]
    values_PX: Float[Tensor, "P X"]

    def add_to(self, matrix_PN: Float[Tensor, "P N"]) -> None:
        """Add the numbers to a contiguous matrix, in place.

        On the CPU this takes a tenth of the time of `scatter_add_`.
        """
        rows, width = matrix_PN.shape
        first_P1 = torch.arange(0, rows * width, width, device=matrix_PN.device)[:, None]
        places_PX = first_P1 + self.columns_PX
        matrix_PN.view(-1).put_(places_PX, self.values_PX.to(matrix_PN.dtype), accumulate=True)
