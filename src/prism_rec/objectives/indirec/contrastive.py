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
    """Return the mean of -log softmax(pair) over the 2 B views, their similarity being the dot product.

    Negatives of a view are those of all rows with another target; where there are none it costs nothing.

    Args:
        one_BD: one view of each row.
        other_BD: the other.
        targets_B: the item that comes next.
        temperature: divides the similarities.
    """
    views_VD = torch.cat([one_BD, other_BD])
    similarity_VV = views_VD @ views_VD.T / temperature
    pair_V1 = similarity_VV.diagonal(len(one_BD)).repeat(2)[:, None]
    same_BB = targets_B[:, None] == targets_B
    logits = torch.cat([pair_V1, similarity_VV.masked_fill(same_BB.repeat(2, 2), -torch.inf)], 1)
    return F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))
