"""Items with equal keys, which must have equal scores."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROWS_AT_ONCE = 1 << 16


class Twins(NamedTuple):
    """Rows of a matrix that are equal to an earlier row, and the first row that each of them is equal to."""

    later_T: Int[Tensor, " T"]
    first_T: Int[Tensor, " T"]


def find_twins(keys_IK: Float[Tensor, "I K"]) -> Twins:
    """Find the rows that are equal to an earlier row.

    Rows are compared by a number made of all their bits first, so that one sort of I numbers finds equal rows; rows
    that only have equal numbers are then left out.
    """
    generator = torch.Generator().manual_seed(0)
    factors_K = torch.randint(1 << 62, (keys_IK.shape[1],), generator=generator).to(keys_IK.device)
    # Whole numbers wrap around, so that the order of the sum does not matter. Adding 0 makes -0 into 0.
    numbers_I = torch.cat(
        [((part.double() + 0.0).view(torch.int64) * factors_K).sum(1) for part in keys_IK.split(ROWS_AT_ONCE)]
    )
    _, class_I = numbers_I.unique(return_inverse=True)
    places_I = torch.arange(len(class_I), device=keys_IK.device)
    first_I = torch.full_like(places_I, len(places_I)).scatter_reduce(0, class_I, places_I, "amin")[class_I]
    later_T = (first_I != places_I).nonzero().squeeze(1)
    equal_T = torch.cat(
        [(keys_IK[part] == keys_IK[first_I[part]]).all(1) for part in later_T.split(ROWS_AT_ONCE)]
    )
    return Twins(later_T[equal_T], first_I[later_T[equal_T]])
