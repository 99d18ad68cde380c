"""The views as predictions: what becomes of each after the encoder has seen a history made of it (PRISM, eq. 2 to 4).

The paper does not say what the prediction layer P returns, nor whether each expert has an encoder of its own. Here all
share the model's backbone, and y is the user's state after the last trained position.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from prism_rec.fusion.base import Encode
from prism_rec.fusion.prism.views import Views


def predict_views(
    views_J: Sequence[Views], present_IJ: Bool[Tensor, "I J"], encode: Encode, index_P: Int[Tensor, " P"]
) -> list[Views]:
    """Return the user's vector for each of B histories whose items are their ids and what one expert says of them.

    All views of all experts pass the encoder in one batch.

    Args:
        views_J: what each expert says of I items.
        present_IJ: which components each item has; without it an item is its id.
        encode: the model's encoder.
        index_P: which of the I items stands at each place.
    """
    asked_X = [
        vectors * present_IJ[:, [j]]
        for j, views in enumerate(views_J)
        for vectors in (views.full_ID, *views.masked)
    ]
    states_X = iter(encode(torch.stack(asked_X, 1), index_P).unbind())
    return [Views(next(states_X), tuple(next(states_X) for _ in views.masked)) for views in views_J]
