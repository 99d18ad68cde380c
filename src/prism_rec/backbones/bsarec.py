"""BSARec (Shin et al., AAAI 2024, arXiv 2312.10325): a frequency filter next to attention in every layer.

The filter splits a sequence into its lowest frequencies and the rest, and rescales the rest, channel by channel. In the
release it runs over the whole window, so that a place sees the places after it. The release therefore trains each
prefix of a history as a sequence of its own, and only its last place. Two forms here:

- `prefix`, the release's: every prefix is encoded by itself. Its cost grows faster with the length of the histories.
  The reference figures (Beauty .1002 / .0610 with cross-entropy, D 64) are of this form, with `positions: last`,
  256 prefixes per batch and learning rate 5e-4.
- `causal`: the filter's matrix is cut to its lower triangle. Each place then gets what the filter gives the last place
  of its prefix, and one pass serves all prefixes. The two forms differ from the second layer on.

Both are causal, so every objective fits. The release also filters the position vectors at the places of the window that
a history leaves empty; with dropout, they are noise in short histories. `empty_places: positions` does so in the causal
form, drawn once per batch (the release draws them for each history); otherwise the filter sees zeros.
"""

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
from prism_rec.nn.attention import CausalAttention
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.feed_forward import FeedForward
from prism_rec.nn.rows import gather_rows


def low_pass_matrix(window: int, frequencies: int) -> Float[Tensor, "W W"]:
    """Return the matrix that keeps the lowest frequencies of a sequence of `window` places.

    Its entry for two places depends only on the distance between them. So its first l rows and columns filter a
    sequence of l places, wherever the sequence is in a window of zeros.

    Args:
        window: W.
        frequencies: number of frequencies kept, the constant one included; with W // 2 + 1 or more, the result is the
            identity.
    """
    spectrum = torch.fft.rfft(torch.eye(window, dtype=torch.float64), dim=0)
    spectrum[frequencies:] = 0
    return torch.fft.irfft(spectrum, n=window, dim=0).to(torch.get_default_dtype())


class FrequencyFilter(nn.Module):
    """norm(x + low(x) + beta^2 (x - low(x))), with one beta per channel."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.beta_D = nn.Parameter(torch.randn(width))
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=1e-12)

    def forward(
        self, x_BLD: Float[Tensor, "B L D"], low_BLD: Float[Tensor, "B L D"]
    ) -> Float[Tensor, "B L D"]:
        """Rescale all but the low frequencies."""
        return self.norm(x_BLD + self.dropout(low_BLD + self.beta_D.square() * (x_BLD - low_BLD)))


class BSARecLayer(nn.Module):
    """alpha * filter + (1 - alpha) * attention, then a feed-forward; all normalised after their residual."""

    def __init__(
        self, width: int, heads: int, dropout: float, attention_dropout: float, alpha: float
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.filter = FrequencyFilter(width, dropout)
        self.attention = CausalAttention(width, heads, attention_dropout)
        self.attention_dropout = Dropout(dropout)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.feed_forward = FeedForward(width, 4 * width, F.gelu, dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(
        self, x_BLD: Float[Tensor, "B L D"], low_BLD: Float[Tensor, "B L D"]
    ) -> Float[Tensor, "B L D"]:
        """Filter, given the low frequencies, and attend side by side, then transform."""
        seen_BLD = self.attention_norm(x_BLD + self.attention_dropout(self.attention(x_BLD, x_BLD)))
        x_BLD = self.alpha * self.filter(x_BLD, low_BLD) + (1 - self.alpha) * seen_BLD
        return self.feed_forward_norm(x_BLD + self.feed_forward(x_BLD))


class BSARec(Backbone):
    """The causal form."""

    low_pass_WW: Tensor

    def __init__(self, width: int, max_length: int, config: "BSARecConfig") -> None:
        super().__init__()
        self.positions = Positions(max_length, width, config.positions)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            BSARecLayer(width, config.heads, config.dropout, config.attention_dropout, config.alpha)
            for _ in range(config.layers)
        )
        self.empty_places = config.empty_places
        low_pass_WW = low_pass_matrix(max_length, config.cutoff // 2 + 1)
        self.register_buffer("low_pass_WW", low_pass_WW, persistent=False)

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        window = inputs_BLD.shape[1]
        x_BLD = self.dropout(self.norm(inputs_BLD + self.positions(lengths_B, window)))
        low_pass_WW = self.low_pass_WW.tril()
        empty_WD = None
        if self.empty_places == "positions":
            # The vectors at empty places do not depend on a history, so that one sequence of them serves all.
            empty_WD = self.dropout(self.norm(self.positions.table.weight))
        for layer in self.layers:
            low_BLD = low_pass_WW[:window, :window] @ x_BLD
            if empty_WD is not None:
                low_BLD = low_BLD + low_of_empty_places(low_pass_WW, empty_WD, lengths_B, window)
                empty_WD = layer(empty_WD[None], low_pass_WW @ empty_WD[None])[0]
            x_BLD = layer(x_BLD, low_BLD)
        return x_BLD

    def initialise(self, module: nn.Module) -> None:
        """N(0, 0.02) for tables and maps, zero biases."""
        draw_weights(module, partial(nn.init.normal_, std=0.02))


def low_of_empty_places(
    low_pass_WW: Float[Tensor, "W W"],
    empty_WD: Float[Tensor, "W D"],
    lengths_B: Int[Tensor, " B"],
    window: int,
) -> Float[Tensor, "B L D"]:
    """Return what the filter adds to the first `window` places of each history from the window's empty places.

    Each history is at the end of a window of W places, so that W - length places before it are empty. For instance,
    with W = 5 and length 2, places 0 to 2 are empty, and the history's first item is at place 3. The filter adds

        low_pass[3, 0] empty[0] + low_pass[3, 1] empty[1] + low_pass[3, 2] empty[2]

    to it: the sum over the first 3 places in row 3. All such sums, over the first 0, 1, ... W places (F = W + 1), are
    computed once; each history then gathers its own.
    """
    size, width = empty_WD.shape
    sums_WFD = F.pad((low_pass_WW[..., None] * empty_WD).cumsum(1), (0, 0, 1, 0))
    empty_B1 = (size - lengths_B)[:, None]
    places_BL = empty_B1 + torch.arange(window, device=lengths_B.device)
    places_BL = places_BL.clamp(max=size - 1)  # after a history's end is padding: any place will do
    return gather_rows(sums_WFD.view(-1, width), places_BL * (size + 1) + empty_B1)


class PrefixBSARec(BSARec):
    """The release's form: each prefix of a history is a sequence of its own, of which only the last place counts."""

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        places_L = torch.arange(inputs_BLD.shape[1], device=inputs_BLD.device)
        # One sequence per place of the block that is not padding: its history up to that place.
        row_P, last_P = (places_L < lengths_B[:, None]).nonzero(as_tuple=True)
        states_BLD = torch.zeros_like(inputs_BLD)
        states_BLD[row_P, last_P] = self.last(gather_rows(inputs_BLD, row_P), last_P + 1)
        return states_BLD

    def last(self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Encode whole histories, of which only the last place counts."""
        window = inputs_BLD.shape[1]
        real_BL1 = (torch.arange(window, device=inputs_BLD.device) < lengths_B[:, None])[..., None]
        x_BLD = self.dropout(self.norm(inputs_BLD + self.positions(lengths_B, window))) * real_BL1
        low_pass_LL = self.low_pass_WW[:window, :window]
        for layer in self.layers:
            # Padding must be zero before each layer: the filter spreads it to earlier places.
            x_BLD = layer(x_BLD, low_pass_LL @ x_BLD) * real_BL1
        return last_of(x_BLD, lengths_B)


class BSARecConfig(AttentionSettings):
    """Settings of BSARec."""

    kind: Literal["bsarec"] = "bsarec"
    """Name of the backbone."""
    form: Literal["causal", "prefix"] = "causal"
    """`causal`, one pass for all positions; or the release's `prefix`, one pass per position."""
    attention_dropout: float = Field(0.5, ge=0, lt=1)
    """Probability of dropping an attention weight."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Weight of the filter; attention has the weight 1 - alpha."""
    cutoff: int = Field(5, ge=1)
    """The filter keeps the lowest `cutoff // 2 + 1` frequencies of the window, as the release counts them."""
    empty_places: Literal["hidden", "positions"] = "hidden"
    """What the filter sees at the places of the window that a history leaves empty.

    `hidden`: zeros. `positions`: their position vectors, in the form `causal` with `positions: last`; states then
    depend on how much of the window a history fills.
    """

    @model_validator(mode="after")
    def _has_what_its_form_reads(self) -> "BSARecConfig":
        if self.empty_places == "positions" and (self.form, self.positions) != ("causal", "last"):
            raise SettingsError("bsarec: empty_places: positions needs form: causal and positions: last")
        return self

    def encoder(self) -> type[Backbone]:
        """Return the class; see `AttentionSettings.encoder`."""
        return BSARec if self.form == "causal" else PrefixBSARec
