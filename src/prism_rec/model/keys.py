"""The two sides of the inner product that is a score: user states, and keys of items."""

from typing import NamedTuple

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from prism_rec.nn.rows import distinct_rows, gather_rows


class UserStates(NamedTuple):
    """States of the backbone, the fusion's weights at the same places, and items that terms of neighbours need."""

    states: Float[Tensor, "*P Z"]
    weights: Float[Tensor, "*P J"]
    recent: Int[Tensor, "*P L"]
    """Catalogue rows of the latest items, the latest first; L is 0 unless a term needs them."""
    own: Int[Tensor, "*P L W"]
    """In training, the rows of the items that follow each of them in the same history; otherwise W is 0."""

    def take(self, rows: slice | Int[Tensor, " _"]) -> "UserStates":
        """Return the states at some of the places."""
        return UserStates(*(part[rows] for part in self))


class KeyGroup(NamedTuple):
    """Items that all have the same components, so that one matrix product scores them for a user."""

    rows_I: Int[Tensor, " I"]
    keys_IK: Float[Tensor, "I K"]
    present_J: Bool[Tensor, " J"] | None  # which components the items have; None if weights are not personal


def group_by_presence(
    rows_I: Int[Tensor, " I"], keys_IK: Float[Tensor, "I K"], present_IJ: Bool[Tensor, "I J"]
) -> list[KeyGroup]:
    """Return one group per distinct row of `present_IJ`.

    A user's weights are shared over the components that an item has, so that items with other components need another
    query.
    """
    patterns, pattern_I = distinct_rows(present_IJ)
    if len(patterns) == 1:
        return [KeyGroup(rows_I, keys_IK, patterns[0])]
    places = [(pattern_I == p).nonzero().squeeze(1) for p in range(len(patterns))]
    return [
        KeyGroup(rows_I[place], gather_rows(keys_IK, place), patterns[p]) for p, place in enumerate(places)
    ]


def plus_components(
    keys_IQ: Float[Tensor, "I Q"], components_IJD: Float[Tensor, "I J D"]
) -> Float[Tensor, "I Q"]:
    """Add the components to the ids' keys, which may have further columns."""
    content_ID = components_IJD.sum(1)
    return keys_IQ + F.pad(content_ID, (0, keys_IQ.shape[1] - content_ID.shape[1]))


def inner(left_PXD: Float[Tensor, "P X D"], right_PD: Float[Tensor, "P D"]) -> Float[Tensor, "P X"]:
    """Return the inner products of X vectors with one vector, for each of P."""
    return (left_PXD @ right_PD[..., None]).squeeze(-1)
