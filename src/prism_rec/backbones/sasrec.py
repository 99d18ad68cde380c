"""SASRec: a causal transformer over a history, in its original form and in a post-norm form."""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from prism_rec.backbones.base import AttentionSettings, Backbone, draw_weights, last_of
from prism_rec.backbones.positions import Positions
from prism_rec.errors import SettingsError
from prism_rec.nn.attention import Before, CausalAttention
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.feed_forward import FeedForward

EmptyPlaces = Literal["hidden", "zeros", "positions"]


class OriginalBlock(nn.Module):
    """Kang and McAuley (ICDM 2018) as their release computes it.

    Only the query is normalised; keys and values are the raw input, and so is the residual. The feed-forward is
    D -> D -> D with ReLU and a residual to its normalised input.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=1e-8)
        self.attention = CausalAttention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=1e-8)
        self.feed_forward = FeedForward(width, width, F.relu, dropout, hidden_dropout=dropout)

    def forward(
        self,
        x_BLD: Float[Tensor, "B L D"],
        lengths_B: Int[Tensor, " B"] | None = None,
        before: Before | None = None,
    ) -> Float[Tensor, "B A D"]:
        """Return the outputs of all positions, A = L; with lengths, of each history's last position, A = 1.

        Attention also sees the vectors `before` the first position.
        """
        asking_BAD = x_BLD if lengths_B is None else last_of(x_BLD, lengths_B)[:, None]
        attended_BAD = self.attention(self.attention_norm(asking_BAD), x_BLD, lengths_B, before)
        x_BAD = self.feed_forward_norm(asking_BAD + attended_BAD)
        return x_BAD + self.feed_forward(x_BAD)


class PostNormBlock(nn.Module):
    """The layer of PRISM's release: normalisation after each residual, feed-forward 4D with GELU by erf."""

    def __init__(self, width: int, heads: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.attention = CausalAttention(width, heads, attention_dropout)
        self.attention_dropout = Dropout(dropout)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.feed_forward = FeedForward(width, 4 * width, F.gelu, dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(
        self, x_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B A D"]:
        """Return the outputs of all positions, A = L; with lengths, of each history's last position, A = 1."""
        asking_BAD = x_BLD if lengths_B is None else last_of(x_BLD, lengths_B)[:, None]
        attended_BAD = self.attention_dropout(self.attention(asking_BAD, x_BLD, lengths_B))
        x_BAD = self.attention_norm(asking_BAD + attended_BAD)
        return self.feed_forward_norm(x_BAD + self.feed_forward(x_BAD))


class OriginalSASRec(Backbone):
    """SASRec of 2018: inputs scaled by sqrt(D), Xavier-normal weights, one last normalisation.

    Args:
        width: D.
        max_length: length of the window.
        config: its `empty_places` are what attention sees at the places of the window that a history leaves empty.
            The release pads on the left and masks no key, so it sees `zeros`. RecBoard's encoder, of the reference
            figures, sees the `positions` in the first layer and zeros in the others. Both damp attention in short
            histories.
    """

    def __init__(self, width: int, max_length: int, config: "SASRecConfig") -> None:
        super().__init__()
        self.scale = width**0.5
        self.max_length = max_length
        self.empty_places = config.empty_places
        self.positions = Positions(max_length, width, config.positions)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            OriginalBlock(width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width, eps=1e-8)

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        for block, before in zip(self.blocks, self._before(lengths_B), strict=True):
            x_BLD = block(x_BLD, before=before)
        return self.norm(x_BLD)

    def last(self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Encode; the last layer is computed at the last positions only."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        *first, last = zip(self.blocks, self._before(lengths_B), strict=True)
        for block, before in first:
            x_BLD = block(x_BLD, before=before)
        block, before = last
        return self.norm(block(x_BLD, lengths_B, before)).squeeze(1)

    def _embed(self, inputs_BLD: Tensor, lengths_B: Tensor) -> Tensor:
        return self.dropout(inputs_BLD * self.scale + self.positions(lengths_B, inputs_BLD.shape[1]))

    def _before(self, lengths_B: Int[Tensor, " B"]) -> list[Before | None]:
        """Return for each block the vectors of the empty places that attention sees."""
        if self.empty_places == "hidden":
            return [None] * len(self.blocks)
        table_FD = self.positions.table.weight
        empty_BF = torch.arange(len(table_FD), device=lengths_B.device) < self.max_length - lengths_B[:, None]
        # As many vectors as there are empty places, although all are zero: dropout of weights takes each by itself.
        zeros = Before(table_FD.new_zeros(*empty_BF.shape, table_FD.shape[1]), empty_BF)
        if self.empty_places == "zeros":
            return [zeros] * len(self.blocks)
        positions = self.dropout(table_FD.expand(len(lengths_B), -1, -1))
        return [Before(positions, empty_BF), *[zeros] * (len(self.blocks) - 1)]

    def initialise(self, module: nn.Module) -> None:
        """Xavier-normal for tables and maps, zero biases; smaller weights at the inputs of attention and feed-forward.

        The maps to queries, keys and values are drawn as one map D -> 3 D, and the feed-forward keeps PyTorch's uniform
        weights and biases, as in the encoder of the reference figures. Larger weights learn 10 % more slowly.
        """
        draw_weights(module, nn.init.xavier_normal_)
        if isinstance(module, CausalAttention):
            for linear in (module.query, module.key, module.value):
                nn.init.xavier_uniform_(linear.weight, gain=0.5**0.5)
        if isinstance(module, FeedForward):
            module.inner.reset_parameters()
            module.outer.reset_parameters()


class PostNormSASRec(Backbone):
    """SASRec as PRISM's release builds on it: normalised inputs, post-norm blocks, N(0, 0.02) weights."""

    def __init__(self, width: int, max_length: int, config: "SASRecConfig") -> None:
        super().__init__()
        self.positions = Positions(max_length, width, config.positions)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            PostNormBlock(width, config.heads, config.dropout, config.attention_dropout)
            for _ in range(config.layers)
        )

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        for block in self.blocks:
            x_BLD = block(x_BLD)
        return x_BLD

    def last(self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Encode; the last layer is computed at the last positions only."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        for block in self.blocks[:-1]:
            x_BLD = block(x_BLD)
        return self.blocks[-1](x_BLD, lengths_B).squeeze(1)

    def _embed(self, inputs_BLD: Tensor, lengths_B: Tensor) -> Tensor:
        return self.dropout(self.norm(inputs_BLD + self.positions(lengths_B, inputs_BLD.shape[1])))

    def initialise(self, module: nn.Module) -> None:
        """N(0, 0.02) for tables and maps, zero biases."""
        draw_weights(module, partial(nn.init.normal_, std=0.02))


class SASRecConfig(AttentionSettings):
    """Settings of SASRec.

    `positions: last` with `empty_places` of `zeros` or `positions` computes what SASRec's release or RecBoard computes.
    States then depend on how long the window is and how much of it a history fills.
    """

    kind: Literal["sasrec"] = "sasrec"
    """Name of the backbone."""
    form: Literal["original", "post_norm"] = "original"
    """`original` (Kang and McAuley, ICDM 2018), or `post_norm` (PRISM's release)."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability of dropping an attention weight in the form `post_norm`; the form `original` uses `dropout`."""
    empty_places: EmptyPlaces = "hidden"
    """What attention sees at the places of the window that a history leaves empty.

    `hidden`: nothing. Only in the form `original`: `zeros` (the release), or `positions` (RecBoard), their position
    vectors in the first layer.
    """

    @model_validator(mode="after")
    def _has_what_its_form_reads(self) -> "SASRecConfig":
        other = {"original": "attention_dropout", "post_norm": "empty_places"}[self.form]
        if getattr(self, other) != type(self).model_fields[other].default:
            raise SettingsError(
                f"sasrec of form {self.form} does not read {other}; remove it or use the other form"
            )
        if self.empty_places == "positions" and self.positions == "first":
            raise SettingsError(
                "sasrec: empty_places: positions are counted from the last; add positions: last"
            )
        return self

    def encoder(self) -> type[Backbone]:
        """Return the class; see `AttentionSettings.encoder`."""
        return OriginalSASRec if self.form == "original" else PostNormSASRec
