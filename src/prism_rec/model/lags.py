"""The weights of the latest items of a history in a term of neighbours: one per lag, learned."""

import torch
from jaxtyping import Float
from torch import Tensor

PACE = 10.0
"""How much faster than other weights the weights of lags move: they have to go far, and there are few."""


def first_decay(lags: int) -> Float[Tensor, " L"]:
    """Return 1, .6, .36, ...: at first, each item counts .6 of the item after it."""
    return 0.6 ** torch.arange(lags)
