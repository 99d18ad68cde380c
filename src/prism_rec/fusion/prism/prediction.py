"""Views as predictions: the user states that histories lead to if items are shown through one view (eq. 2 to 4).

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
    """Return the states of B users whose items are shown as id + one view of one expert.

    All views of all experts pass the encoder in one batch.

    Args:
        views_J: each expert's views of I items.
        present_IJ: which components each item has; an item without the component is shown as its id.
        encode: the model's encoder.
        index_P: which of the I items is at each place.

    Returns:
        For each expert its views, now of the B users.
    """
    shown_X = [
        vectors * present_IJ[:, [j]]
        for j, views in enumerate(views_J)
        for vectors in (views.full_ID, *views.masked)
    ]
    states_XBD = encode(torch.stack(shown_X, 1), index_P)
    of_experts = states_XBD.split([1 + len(views.masked) for views in views_J])
    return [Views(states_XBD[0], states_XBD[1:].unbind()) for states_XBD in of_experts]
