"""The views as predictions: what becomes of each after the encoder has seen a history made of it (PRISM, eq. 2 to 4).

The paper does not say what the prediction layer P returns, nor whether each expert has an encoder of its own. Here all
share the model's backbone, and y is the user's state after the last trained position.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from prism_rec.fusion.base import Encode
from prism_rec.fusion.prism.views import Views


def predict_views(
    views: Views, present_IJ: Bool[Tensor, "I J"], encode: Encode, index_P: Int[Tensor, " P"]
) -> Views:
    """Return the user's vector for each of B histories whose items are their ids and what one expert says of them.

    All views pass the encoder in one batch.

    Args:
        views: what the experts say of I items, in the full view zero where absent.
        present_IJ: which components each item has; without it an item is its id.
        encode: the model's encoder.
        index_P: which of the I items stands at each place.
    """
    modalities = len(views.alone_M)
    uniques_M, (redundancy, synergy) = range(modalities), (modalities, modalities + 1)
    # The full views come first; of each further view, whose it is.
    experts_X = [*uniques_M, *uniques_M, *[redundancy] * modalities, *[synergy] * modalities]
    masked_X = [*views.alone_M, *views.without_M, *views.redundancy_M, *views.synergy_M]
    shown_X = [vectors * present_IJ[:, [j]] for vectors, j in zip(masked_X, experts_X, strict=True)]
    states_X = encode(torch.stack([*views.full_J, *shown_X], 1), index_P).unbind()
    full_J, states_X = states_X[: len(views.full_J)], states_X[len(views.full_J) :]
    return Views(
        full_J, *(states_X[first : first + modalities] for first in range(0, 4 * modalities, modalities))
    )
