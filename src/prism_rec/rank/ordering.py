"""Order among scores: ranks by counting, and the best k; ties by item number."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

CHUNK = 64
"""Neighbouring columns of which `best` first compares only the maxima."""


def rank_of(
    scores_BN: Float[Tensor, "B N"], rows_B: Int[Tensor, " B"], work_BN: Float[Tensor, "B N"] | None = None
) -> Int[Tensor, " B"]:
    """Return the 1-based rank of one column in each row; of equal scores the lower column comes first.

    If the column's own score is NaN, it comes last.

    Args:
        scores_BN: scores.
        rows_B: one column per row.
        work_BN: memory to work in. Who ranks often gives the same again: new memory takes longer than the counting.
    """
    own_B1 = scores_BN.gather(1, rows_B[:, None])
    # Comparisons that write floats, and their sums, are vectorised; booleans and `count_nonzero` take four times
    # as long.
    compared_BN = torch.empty_like(scores_BN) if work_BN is None else work_BN
    at_most_B = _count(torch.le(scores_BN, own_B1, out=compared_BN))
    below_B = _count(torch.lt(scores_BN, own_B1, out=compared_BN))
    better_B = scores_BN.shape[1] - at_most_B - own_B1.isnan().squeeze(1).long()
    tied_B = at_most_B - below_B > 1
    if tied_B.any():
        columns_N = torch.arange(scores_BN.shape[1], device=scores_BN.device)
        equal_RN = scores_BN[tied_B] == own_B1[tied_B]
        better_B[tied_B] += (equal_RN & (columns_N < rows_B[tied_B, None])).count_nonzero(1)
    return better_B + 1


def _count(ones_BN: Float[Tensor, "B N"]) -> Int[Tensor, " B"]:
    """Return the number of ones per row; sums of 2**24 ones at most, which float32 holds exactly."""
    counts = [part.sum(1).long() for part in ones_BN.split(1 << 24, 1)]
    return torch.stack(counts).sum(0)


def best(scores_BN: Float[Tensor, "B N"], k: int) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """Return the k highest scores and their columns, best first; of equal scores the lower column comes first."""
    k = min(k, scores_BN.shape[1])
    if 2 * k * CHUNK < scores_BN.shape[1]:
        values_Bk, columns_Bk, left_out_B = _best_of_chunks(scores_BN, k)
    else:
        values_Bk, columns_Bk = scores_BN.topk(k)
        left_out_B = (scores_BN == values_Bk[:, -1:]).count_nonzero(1) > _equal_to_last(values_Bk)
    # If more columns tie for the last place than there is room, `topk` returns any of them: sort the whole row.
    if left_out_B.any():
        columns_Bk[left_out_B] = scores_BN[left_out_B].argsort(dim=1, descending=True, stable=True)[:, :k]
    columns_Bk = columns_Bk.sort(1).values
    values_Bk, places_Bk = scores_BN.gather(1, columns_Bk).sort(dim=1, descending=True, stable=True)
    return values_Bk, columns_Bk.gather(1, places_Bk)


def _best_of_chunks(
    scores_BN: Float[Tensor, "B N"], k: int
) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"], Tensor]:
    """Return k highest scores, their columns, and whether a column that ties for the last place may be left out.

    The k highest scores are in the k chunks of highest maxima, so that one pass over all scores is enough.
    """
    whole = scores_BN.shape[1] // CHUNK
    chunks_BXC = scores_BN[:, : whole * CHUNK].unflatten(1, (whole, CHUNK))
    maxima_BX = chunks_BXC.amax(2)
    highest_Bk, chunk_Bk = maxima_BX.topk(k)
    rest_BR = scores_BN[:, whole * CHUNK :]
    candidates_BkC = chunks_BXC.gather(1, chunk_Bk[..., None].expand(-1, -1, CHUNK))
    candidates_BS = torch.cat([candidates_BkC.flatten(1), rest_BR], 1)
    values_Bk, place_Bk = candidates_BS.topk(k)
    in_chunk_Bk = chunk_Bk.gather(1, (place_Bk // CHUNK).clamp(max=k - 1)) * CHUNK + place_Bk % CHUNK
    columns_Bk = torch.where(place_Bk < k * CHUNK, in_chunk_Bk, place_Bk - k * CHUNK + whole * CHUNK)
    last_B1 = values_Bk[:, -1:]
    tied_here_B = (candidates_BS == last_B1).count_nonzero(1) > _equal_to_last(values_Bk)
    tied_elsewhere_B = (maxima_BX == last_B1).count_nonzero(1) > (highest_Bk == last_B1).count_nonzero(1)
    return values_Bk, columns_Bk, tied_here_B | tied_elsewhere_B


def _equal_to_last(values_Bk: Float[Tensor, "B k"]) -> Int[Tensor, " B"]:
    return (values_Bk == values_Bk[:, -1:]).count_nonzero(1)
