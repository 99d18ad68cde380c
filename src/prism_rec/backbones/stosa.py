"""STOSA (Fan et al., WWW 2022): items and users are Gaussians, and attention and scores are distances.

An item is a mean and a diagonal covariance; the encoder carries each through its layers in a stream of its own.
Differences from the release: the mean is passed from layer to layer (the release drops it by a misspelt name), and one
distance is used in attention, training and ranking.

    score(user, item) = -d(state, id Gaussian) + f mu_state . sum_j w_j e_j(item)

A Gaussian weighted for each user would not be a sum over components. So content enters the score next to the distance,
as a shift of the item's mean would at unit covariances: f is 2 for Wasserstein and 1 for KL.
"""

from functools import partial
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from prism_rec.backbones.base import AttentionSettings, Backbone, draw_weights
from prism_rec.backbones.positions import Positions
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.feed_forward import FeedForward
from prism_rec.nn.gaussian import DistanceName, Gaussian, GaussianDistance, gaussian_distance


class StreamMaps(nn.Module):
    """The linear maps of one stream's attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x_BLD: Float[Tensor, "B L D"]) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values."""
        return self.query(x_BLD), self.key(x_BLD), self.value(x_BLD)


class GaussianAttention(nn.Module):
    """Causal attention whose logits are negative distances between query and key Gaussians.

    The values' means are weighed with the attention weights and their covariances with the squared weights, as for a
    weighted sum of independent Gaussians.
    """

    def __init__(self, width: int, heads: int, dropout: float, distance: GaussianDistance) -> None:
        super().__init__()
        self.heads = heads
        self.distance = distance
        self.dropout = Dropout(dropout)
        self.mean = StreamMaps(width)
        self.covariance = StreamMaps(width)

    def forward(
        self, mean_BLD: Float[Tensor, "B L D"], covariance_BLD: Float[Tensor, "B L D"]
    ) -> tuple[Float[Tensor, "B L D"], Float[Tensor, "B L D"]]:
        """Return, for both streams, the weighted sum over the positions up to each one."""
        query, key, value = (
            Gaussian(self._split(mean), self._split(F.elu(covariance) + 1))
            for mean, covariance in zip(self.mean(mean_BLD), self.covariance(covariance_BLD), strict=True)
        )
        logits_BHLL = -self.distance.pairwise(query, key) / query.mean.shape[-1] ** 0.5
        length = logits_BHLL.shape[-1]
        future_LL = torch.ones(length, length, dtype=torch.bool, device=logits_BHLL.device).triu(1)
        weights_BHLL = self.dropout(logits_BHLL.masked_fill(future_LL, -torch.inf).softmax(-1))
        return (
            self.mean.output(self._join(weights_BHLL @ value.mean)),
            self.covariance.output(self._join(weights_BHLL.square() @ value.covariance)),
        )

    def _split(self, x_BLD: Float[Tensor, "B L D"]) -> Float[Tensor, "B H L d"]:
        return x_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _join(self, x_BHLd: Float[Tensor, "B H L d"]) -> Float[Tensor, "B L D"]:
        return x_BHLd.transpose(1, 2).flatten(2)


class StosaLayer(nn.Module):
    """Attention, then a feed-forward per stream; normalised after each residual. Attention has one norm for both."""

    def __init__(
        self, width: int, heads: int, dropout: float, attention_dropout: float, distance: GaussianDistance
    ) -> None:
        super().__init__()
        self.attention = GaussianAttention(width, heads, attention_dropout, distance)
        self.attention_dropout = Dropout(dropout)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.mean_feed_forward = FeedForward(width, 4 * width, F.elu, dropout)
        self.mean_norm = nn.LayerNorm(width, eps=1e-12)
        self.covariance_feed_forward = FeedForward(width, 4 * width, F.elu, dropout)
        self.covariance_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(
        self, mean_BLD: Float[Tensor, "B L D"], covariance_BLD: Float[Tensor, "B L D"]
    ) -> tuple[Float[Tensor, "B L D"], Float[Tensor, "B L D"]]:
        """Attend, then transform; the returned covariances are positive."""
        seen_mean_BLD, seen_covariance_BLD = self.attention(mean_BLD, covariance_BLD)
        mean_BLD = self.attention_norm(mean_BLD + self.attention_dropout(seen_mean_BLD))
        covariance_BLD = self.attention_norm(covariance_BLD + self.attention_dropout(seen_covariance_BLD))
        mean_BLD = self.mean_norm(mean_BLD + self.mean_feed_forward(mean_BLD))
        covariance_BLD = self.covariance_norm(covariance_BLD + self.covariance_feed_forward(covariance_BLD))
        return mean_BLD, F.elu(covariance_BLD) + 1


class Stosa(Backbone):
    """The encoder; a state is the mean and the covariance after a position, side by side: Z = 2 D."""

    streams = 2

    def __init__(self, width: int, max_length: int, config: "StosaConfig") -> None:
        super().__init__()
        self.distance = gaussian_distance(config.distance)
        self.positions = Positions(max_length, 2 * width, config.positions)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            StosaLayer(width, config.heads, config.dropout, config.attention_dropout, self.distance)
            for _ in range(config.layers)
        )

    def forward(
        self, inputs_BLV: Float[Tensor, "B L V"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L V"]:
        """Encode; see `Backbone.forward`."""
        placed_BLV = inputs_BLV + self.positions(lengths_B, inputs_BLV.shape[1])
        mean_BLD, covariance_BLD = (
            F.elu(self.dropout(self.norm(stream_BLD))) for stream_BLD in placed_BLV.chunk(2, -1)
        )
        covariance_BLD = covariance_BLD + 1
        for layer in self.layers:
            mean_BLD, covariance_BLD = layer(mean_BLD, covariance_BLD)
        return torch.cat([mean_BLD, covariance_BLD], -1)

    def initialise(self, module: nn.Module) -> None:
        """N(0.01, 0.02) for tables and maps, zero biases."""
        draw_weights(module, partial(nn.init.normal_, mean=0.01, std=0.02))

    def id_query(self, states: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P Q"]:
        """Return the state's side of the negative distance."""
        return self.distance.query(Gaussian(*states.chunk(2, -1)))

    def id_key(self, ids: Float[Tensor, "*P V"]) -> Float[Tensor, "*P Q"]:
        """Return the item's side of the negative distance."""
        return self.distance.key(id_gaussian(ids))

    def content_query(self, states: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P D"]:
        """Return the state's mean, scaled as in the negative distance."""
        return self.distance.mean_factor * states.chunk(2, -1)[0]

    def id_distance(
        self, one: Float[Tensor, "P 1 V"], others: Float[Tensor, "P C V"]
    ) -> Float[Tensor, "P C"]:
        """Return the distance of one item of each row to each of the others, from their ids."""
        return self.distance.rowwise(id_gaussian(one), id_gaussian(others))


def id_gaussian(ids: Float[Tensor, "*P V"]) -> Gaussian:
    """Return the Gaussian of an item's id: the mean is its first half, the covariance ELU + 1 of its second."""
    mean, covariance = ids.chunk(2, -1)
    return Gaussian(mean, F.elu(covariance) + 1)


class StosaConfig(AttentionSettings):
    """Settings of STOSA."""

    scores: ClassVar[Literal["product", "distance"]] = "distance"

    kind: Literal["stosa"] = "stosa"
    """Name of the backbone."""
    distance: DistanceName = "wasserstein"
    """Distance in attention, training and ranking: `wasserstein` (squared 2-Wasserstein) or `kl` (divergence)."""
    layers: int = Field(1, ge=1, le=1000)
    """Number of layers."""
    heads: int = Field(4, ge=1)
    """Number of attention heads; `model.width` must be a multiple of it."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Probability of dropping an element of the inputs and of each layer's outputs."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability of dropping an attention weight."""

    def encoder(self) -> type[Stosa]:
        """Return the class; see `AttentionSettings.encoder`."""
        return Stosa
