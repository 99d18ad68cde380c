"""A diffusion of vectors (Ho et al., 2020), guided by other vectors without a classifier (Ho and Salimans, 2022)."""

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

ScheduleName = Literal["exp", "linear", "cosine", "sqrt"]


class Schedule(NamedTuple):
    """The numbers of T steps of adding noise, and of undoing one of them; float64 [T] each."""

    betas: Tensor  # the variance that a step adds
    alpha_bar: Tensor  # the part of the signal's variance left after a step
    posterior_x0: Tensor  # weights of x_0 and x_t in the mean of x_{t-1}
    posterior_xt: Tensor
    posterior_variance: Tensor


def make_schedule(name: ScheduleName, steps: int) -> Schedule:
    """Return the schedule of one of InDiRec's four kinds.

    `exp`: beta_i = 1 - exp(-0.1 / T - 4.95 x_i / T^2), x from 1 to 2 T + 1; `linear`: 1e-4 to 0.02; `cosine` (Nichol
    and Dhariwal, 2021, s = 0.008) and `sqrt` (Li et al., 2022, 1 - sqrt(t + 1e-4)) define the part of the signal left.

    Args:
        name: the kind.
        steps: T.
    """
    betas = _betas(name, steps)
    alpha_bar = (1 - betas).cumprod(0)
    before = F.pad(alpha_bar[:-1], (1, 0), value=1.0)
    return Schedule(
        betas,
        alpha_bar,
        betas * before.sqrt() / (1 - alpha_bar),
        (1 - before) * (1 - betas).sqrt() / (1 - alpha_bar),
        betas * (1 - before) / (1 - alpha_bar),
    )


def _betas(name: ScheduleName, steps: int) -> Float[Tensor, " T"]:
    if name == "linear":
        return torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)
    if name == "exp":
        x = torch.linspace(1, 2 * steps + 1, steps, dtype=torch.float64)
        return 1 - torch.exp(-0.1 / steps - x * 4.95 / steps**2)
    time = torch.arange(steps + 1, dtype=torch.float64) / steps
    if name == "cosine":
        left = torch.cos((time + 0.008) / 1.008 * math.pi / 2).square()
        return (1 - left[1:] / left[:-1]).clamp(1e-4, 0.9999)
    left = 1 - (time + 1e-4).sqrt()
    return (1 - left[1:] / left[:-1]).clamp_max(0.999)


def embed_steps(steps_B: Int[Tensor, " B"], width: int) -> Float[Tensor, "B D"]:
    """Return [sin, cos] of each step at D / 2 frequencies from 1 down to 1e-4.

    Args:
        steps_B: from 0.
        width: D, even.
    """
    half = width // 2
    falling = (
        torch.arange(half, dtype=torch.float64, device=steps_B.device) * math.log(1e4) / max(1, half - 1)
    )
    angles_BX = steps_B[:, None] * torch.exp(-falling)
    return torch.cat([angles_BX.sin(), angles_BX.cos()], 1)


class GuidedDiffusion(nn.Module):
    """Noise is added to a vector x_0 in T steps, and a network learns to find x_0 again with the help of a guide.

    The network is one linear map of [x_t; guide; step]; the step's vector comes from a small network of its own.

    Args:
        width: D, even.
        schedule: the kind of noise.
        steps: T.
        guidance: w; how far generation exaggerates the difference between the results with and without a guide.
        null_probability: probability that a learned vector replaces a guide in training.
    """

    alpha_bar_T: Tensor
    posterior_T3: Tensor
    embedded_TD: Tensor

    def __init__(
        self, width: int, schedule: ScheduleName, steps: int, guidance: float, null_probability: float
    ) -> None:
        super().__init__()
        self.guidance = guidance
        self.null_probability = null_probability
        self.null_D = nn.Parameter(torch.randn(width))
        self.step = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.denoise = nn.Linear(3 * width, width)
        made = make_schedule(schedule, steps)
        posterior_T3 = torch.stack([made.posterior_x0, made.posterior_xt, made.posterior_variance.sqrt()], 1)
        dtype = torch.get_default_dtype()
        self.register_buffer("alpha_bar_T", made.alpha_bar.to(dtype), persistent=False)
        self.register_buffer("posterior_T3", posterior_T3.to(dtype), persistent=False)
        self.register_buffer(
            "embedded_TD", embed_steps(torch.arange(steps), width).to(dtype), persistent=False
        )

    def predict(
        self, x_BD: Float[Tensor, "B D"], guides_BD: Float[Tensor, "B D"], steps_BD: Float[Tensor, "B D"]
    ) -> Float[Tensor, "B D"]:
        """Return the network's x_0 from x_t, the guide and the step's vector."""
        return self.denoise(torch.cat([x_BD, guides_BD, steps_BD], 1))

    def loss(self, x0_BD: Float[Tensor, "B D"], guides_BD: Float[Tensor, "B D"]) -> Float[Tensor, ""]:
        """Return the mean squared error of the network's x_0, each from a random step."""
        steps_B = torch.randint(len(self.alpha_bar_T), (len(x0_BD),), device=x0_BD.device)
        left_B1 = self.alpha_bar_T[steps_B, None]
        noisy_BD = left_B1.sqrt() * x0_BD + (1 - left_B1).sqrt() * torch.randn_like(x0_BD)
        dropped_B1 = torch.rand_like(left_B1) < self.null_probability
        guides_BD = torch.where(dropped_B1, self.null_D, guides_BD)
        return F.mse_loss(self.predict(noisy_BD, guides_BD, self.step(self.embedded_TD[steps_B])), x0_BD)

    @torch.no_grad()
    def generate(self, guides_BD: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Return vectors generated from noise, step by step; no gradient reaches the guides."""
        # (1 + w) f(x, guide) - w f(x, null) takes one call, because f is linear in the guide.
        beyond_BD = (1 + self.guidance) * guides_BD - self.guidance * self.null_D
        x_BD = torch.randn_like(guides_BD)
        steps_TD = self.step(self.embedded_TD)
        for number in reversed(range(len(steps_TD))):
            x0_BD = self.predict(x_BD, beyond_BD, steps_TD[number].expand_as(x_BD))
            of_x0, of_xt, deviation = self.posterior_T3[number]
            # The deviation of the last step is zero.
            x_BD = of_x0 * x0_BD + of_xt * x_BD + deviation * torch.randn_like(x_BD)
        return x_BD
