"""Order among scores: ranks by counting, and the best k; ties by item number."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def rank_of(scores_BN: Float[Tensor, "B N"], rows_B: Int[Tensor, " B"]) -> Int[Tensor, " B"]:
    """Return the 1-based rank of one column in each row; of equal scores the lower column comes first.

    If the column's own score is NaN, it comes last.
    """
    own_B1 = scores_BN.gather(1, rows_B[:, None])
    better_B = (~(scores_BN <= own_B1)).count_nonzero(1) - own_B1.isnan().squeeze(1).long()
    tied_B = (scores_BN == own_B1).count_nonzero(1) > 1
    if tied_B.any():
        columns_N = torch.arange(scores_BN.shape[1], device=scores_BN.device)
        equal_RN = scores_BN[tied_B] == own_B1[tied_B]
        better_B[tied_B] += (equal_RN & (columns_N < rows_B[tied_B, None])).count_nonzero(1)
    return better_B + 1


def best(scores_BN: Float[Tensor, "B N"], k: int) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """Return the k highest scores and their columns, best first; of equal scores the lower column comes first."""
    values_Bk, columns_Bk = scores_BN.topk(min(k, scores_BN.shape[1]))
    # If more columns tie for the last place than there is room, `topk` returns any of them: sort the whole row.
    last_B1 = values_Bk[:, -1:]
    split_B = (scores_BN == last_B1).count_nonzero(1) > (values_Bk == last_B1).count_nonzero(1)
    if split_B.any():
        order = scores_BN[split_B].argsort(dim=1, descending=True, stable=True)[:, : values_Bk.shape[1]]
        columns_Bk[split_B] = order
    columns_Bk = columns_Bk.sort(1).values
    values_Bk, places_Bk = scores_BN.gather(1, columns_Bk).sort(dim=1, descending=True, stable=True)
    return values_Bk, columns_Bk.gather(1, places_Bk)
