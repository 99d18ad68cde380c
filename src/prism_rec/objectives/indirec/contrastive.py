"""InfoNCE between two views of each row."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def info_nce(
    one_BD: Float[Tensor, "B D"],
    other_BD: Float[Tensor, "B D"],
    targets_B: Int[Tensor, " B"],
    temperature: float,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(pair) over R = 2 B views, with the dot product as similarity.

    The negatives of a view are the views of all rows with another target; if there are none, its loss is zero.

    Args:
        one_BD: one view of each row.
        other_BD: the other.
        targets_B: the item that comes next.
        temperature: divides the similarities.
    """
    views_RD = torch.cat([one_BD, other_BD])
    similarity_RR = views_RD @ views_RD.T / temperature
    pair_R1 = similarity_RR.diagonal(len(one_BD)).repeat(2)[:, None]
    same_BB = targets_B[:, None] == targets_B
    logits = torch.cat([pair_R1, similarity_RR.masked_fill(same_BB.repeat(2, 2), -torch.inf)], 1)
    return F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))
