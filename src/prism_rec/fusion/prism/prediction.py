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

    All views pass the encoder in one batch, those alone that a loss looks at: the full one of each expert, those of a
    unique expert that keep or mask its own modality, and those of redundancy and synergy that keep one modality. The
    others come back as zeros.

    Args:
        views: the experts' outputs for I items, in the full one zero where absent.
        present_IJ: which components each item has; without it an item is its id.
        encode: the model's encoder.
        index_P: which of the I items stands at each place.
    """
    modalities, experts = views.only_MJID.shape[:2]
    expert_J = torch.arange(experts, device=index_P.device)
    own_MJ = expert_J[:modalities, None] == expert_J
    shown_MJ = own_MJ | (expert_J >= modalities)
    present_JI1 = present_IJ.T[..., None]
    asked_XID = torch.cat(
        [
            views.full_JID,
            (views.only_MJID * present_JI1)[shown_MJ],
            (views.without_MJID * present_JI1)[own_MJ],
        ]
    )
    full_JBD, *masked = encode(asked_XID.transpose(0, 1), index_P).split(
        [experts, int(shown_MJ.sum()), modalities]
    )
    only_MJBD, without_MJBD = full_JBD.new_zeros(2, modalities, *full_JBD.shape).unbind()
    places = (shown_MJ.nonzero(as_tuple=True), own_MJ.nonzero(as_tuple=True))
    return Views(
        full_JBD, only_MJBD.index_put(places[0], masked[0]), without_MJBD.index_put(places[1], masked[1])
    )
