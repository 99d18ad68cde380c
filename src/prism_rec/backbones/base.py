"""What a sequence encoder must do to take any fusion and any objective."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.errors import InputError


class Backbone(nn.Module, ABC):
    """Item vectors in the order of a history -> user states, one after every position.

    The state at position t depends on positions 1..t alone. Histories are padded on the right; what stands at a
    padded position never reaches a real one, and the output there is finite but without meaning.

    A backbone also says how a state meets an item. Every score of the library is

        id_query(state) . id_key(item) + sum_j weight_j * content_query(state) . component_j(item)

    so a backbone that ranks by another measure than the dot product writes that measure as an inner product.

    Attributes:
        streams: how many vectors of D stand at each position, side by side. An item's id has a vector in each; the
            fusion sees the first of them, and what it makes of pictures and texts enters the others through a
            linear map. V = streams * D.
        dot_product: whether a state meets id and components alike, by the plain inner product. Candidates that all
            users weigh alike then are one vector of D, the sum of id and components.
    """

    streams = 1
    dot_product = True

    @abstractmethod
    def forward(
        self, inputs_BLV: Float[Tensor, "B L V"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L S"]:
        """Return the states, S wide."""

    def last(self, inputs_BLV: Float[Tensor, "B L V"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B S"]:
        """Return the state after each history's last item; overridden where that costs less than all states."""
        return last_of(self(inputs_BLV, lengths_B), lengths_B)

    @abstractmethod
    def initialise(self, module: nn.Module) -> None:
        """Draw the first weights of one module of the model (the id table and the fusion included)."""

    def id_query(self, states: Float[Tensor, "*P S"]) -> Float[Tensor, "*P Q"]:
        """Return the side of the state that meets an item's id; the state itself unless overridden."""
        return states

    def id_key(self, ids: Float[Tensor, "*P V"]) -> Float[Tensor, "*P Q"]:
        """Return the side of the item's id that meets a state; the id vector itself unless overridden."""
        return ids

    def content_query(self, states: Float[Tensor, "*P S"]) -> Float[Tensor, "*P D"]:
        """Return the side of the state that meets a content component; the state itself unless overridden."""
        return states


def last_of(values_BLX: Float[Tensor, "B L X"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B X"]:
    """Return what stands at each history's last item."""
    return values_BLX[torch.arange(len(lengths_B), device=lengths_B.device), lengths_B - 1]


def check_heads(width: int, heads: int) -> None:
    """Refuse a width that attention heads cannot share out.

    Raises:
        InputError: D is no multiple of the number of heads.
    """
    if width % heads:
        raise InputError(f"model.width {width} is no multiple of model.backbone.heads {heads}; mend either")
