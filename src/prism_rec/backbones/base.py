"""The contract of a backbone: a sequence encoder that works with any fusion and any objective."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from prism_rec.backbones.positions import Origin
from prism_rec.config import Config
from prism_rec.errors import SettingsError


class Backbone(nn.Module, ABC):
    """Item vectors in the order of a history -> user states, one after every position.

    The state at position t depends on positions 1..t only. Histories are padded on the right; the values at padded
    positions never reach a real one, and the output there is finite but has no meaning.

    A backbone also defines how a state meets an item. Every score of the library is

        id_query(state) . id_key(item) + sum_j weight_j * content_query(state) . component_j(item)

    so a backbone that ranks by another measure than the dot product writes that measure as an inner product.

    Attributes:
        streams: number of vectors of D at each position, side by side. An item's id has a vector in each. The fusion
            sees the first of them, and the vectors that it adds enter the others through a linear map.
            V = streams * D.
    """

    streams = 1

    @abstractmethod
    def forward(
        self, inputs_BLV: Float[Tensor, "B L V"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L Z"]:
        """Return the states; Z is their width."""

    def last(self, inputs_BLV: Float[Tensor, "B L V"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B Z"]:
        """Return the state after each history's last item; overridden if that costs less than all states."""
        return last_of(self(inputs_BLV, lengths_B), lengths_B)

    @abstractmethod
    def initialise(self, module: nn.Module) -> None:
        """Draw the first weights of one module of the model (the id table and the fusion included)."""

    def id_query(self, states: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P Q"]:
        """Return the side of the state that meets an item's id; by default the state itself."""
        return states

    def id_key(self, ids: Float[Tensor, "*P V"]) -> Float[Tensor, "*P Q"]:
        """Return the side of the item's id that meets a state; by default the id vector itself."""
        return ids

    def content_query(self, states: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P D"]:
        """Return the side of the state that meets a content component; by default the state itself."""
        return states

    @property
    def one_query(self) -> bool:
        """Whether the same query meets ids and components as they are, so that their sum is a key of width D."""
        methods = ("id_query", "id_key", "content_query")
        return self.streams == 1 and all(getattr(type(self), m) is getattr(Backbone, m) for m in methods)

    def id_distance(
        self, one: Float[Tensor, "P 1 V"], others: Float[Tensor, "P C V"]
    ) -> Float[Tensor, "P C"]:
        """Return the distance of one item of each row to each of the others, from their ids.

        Required if the settings declare `scores = "distance"`; then id_query(state) . id_key(item) is a negative
        distance of the same kind.
        """
        raise NotImplementedError(f"{type(self).__name__} has no distance between items")


class BackboneSettings(Config, ABC):
    """The base of every backbone's settings.

    Attributes:
        scores: what the id's part of a score is: any inner `product`, or a negative `distance`, which is never above
            zero. Objectives that need one of the two refuse the other.
    """

    scores: ClassVar[Literal["product", "distance"]] = "product"

    @abstractmethod
    def build(self, width: int, max_length: int) -> Backbone:
        """Make the encoder with fresh weights.

        Args:
            width: D.
            max_length: of the longest history that it reads.

        Raises:
            SettingsError: settings that do not fit the width.
        """


class AttentionSettings(BackboneSettings):
    """The settings that all backbones with attention have."""

    layers: int = Field(2, ge=1, le=1000)
    """Number of layers."""
    heads: int = Field(1, ge=1)
    """Number of attention heads; `model.width` must be a multiple of it."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Probability of dropping an element of the inputs and of each layer's outputs."""
    positions: Origin = "first"
    """Where positions are counted from: the `first` item of the window or the `last`."""

    def encoder(self) -> type[Backbone]:
        """Return the class that `build` makes an encoder of, with the arguments width, max_length and these settings.

        Required unless `build` is overridden.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither encoder nor build")

    def build(self, width: int, max_length: int) -> Backbone:
        """Make the encoder for vectors of `width` and histories of up to `max_length` items.

        Raises:
            SettingsError: the width is not a multiple of the heads.
        """
        self.check_heads(width)
        return self.encoder()(width, max_length, self)

    def check_heads(self, width: int) -> None:
        """Refuse a width that is not a multiple of the number of heads.

        Raises:
            SettingsError: see above.
        """
        if width % self.heads:
            raise SettingsError(
                f"model.width {width} is not a multiple of model.backbone.heads {self.heads}; change one of them"
            )


def draw_weights(module: nn.Module, draw: Callable[[Tensor], Any]) -> None:
    """Draw the weights of a table or map with `draw`, and set the bias of a map to zero; skip other modules."""
    if isinstance(module, nn.Linear | nn.Embedding):
        draw(module.weight)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def last_of(values_BLX: Float[Tensor, "B L X"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B X"]:
    """Return the values at each history's last item."""
    return values_BLX[torch.arange(len(lengths_B), device=lengths_B.device), lengths_B - 1]
