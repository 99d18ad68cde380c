"""Distances between Gaussians with diagonal covariances, each also as an inner product."""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

DistanceName = Literal["wasserstein", "kl"]


class Gaussian(NamedTuple):
    """Any number of Gaussians over D axes."""

    mean: Float[Tensor, "*P D"]
    covariance: Float[Tensor, "*P D"]  # the diagonal; not negative


class GaussianDistance(ABC):
    """A distance d(a, b), computed row by row, or between every pair of two sets.

    Between every pair it is an inner product of vectors that depend on one side each: -d(a, b) = query(a) . key(b).

    Attributes:
        mean_factor: factor of the inner product of the two means in -d if both covariances are 1.
    """

    mean_factor: float

    @abstractmethod
    def rowwise(self, a: Gaussian, b: Gaussian) -> Float[Tensor, "*P"]:
        """Return d of each Gaussian of `a` and the one in the same row of `b`; the axes before D may broadcast."""

    @abstractmethod
    def query(self, a: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return the left side of the inner product, Q = 2 D + 2."""

    @abstractmethod
    def key(self, b: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return the right side of the inner product, Q = 2 D + 2."""

    def pairwise(self, a: Gaussian, b: Gaussian) -> Float[Tensor, "*P I K"]:
        """Return d between each of the I Gaussians [*P, I, D] of `a` and each of the K Gaussians [*P, K, D] of `b`."""
        return -(self.query(a) @ self.key(b).mT)


class Wasserstein(GaussianDistance):
    """The squared 2-Wasserstein distance |mu_a - mu_b|^2 + |sqrt(S_a) - sqrt(S_b)|^2.

    It is Euclidean in [mu; sqrt(S)]. Covariances are clamped at 1e-24, so that the root has a finite slope.
    """

    mean_factor = 2.0
    floor = 1e-24

    def rowwise(self, a: Gaussian, b: Gaussian) -> Float[Tensor, "*P"]:
        """Return the sum of squared differences."""
        return (self._coordinates(a) - self._coordinates(b)).square().sum(-1)

    def query(self, a: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return [2 mu, 2 sqrt(S), -1, -|mu|^2 - sum S]."""
        point = self._coordinates(a)
        norm = point.square().sum(-1, keepdim=True)
        return torch.cat([2 * point, -torch.ones_like(norm), -norm], -1)

    def key(self, b: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return [mu, sqrt(S), |mu|^2 + sum S, 1]."""
        point = self._coordinates(b)
        norm = point.square().sum(-1, keepdim=True)
        return torch.cat([point, norm, torch.ones_like(norm)], -1)

    def _coordinates(self, gaussian: Gaussian) -> Float[Tensor, "*P E"]:
        return torch.cat([gaussian.mean, gaussian.covariance.clamp_min(self.floor).sqrt()], -1)


class KullbackLeibler(GaussianDistance):
    """KL(a || b) = 1/2 sum over D of [S_a / S_b + (mu_b - mu_a)^2 / S_b - 1 + log S_b - log S_a].

    Determinants are sums of logs, because a product underflows. Covariances are clamped at 1e-6, because the slope
    contains 1 / S^2, which must stay finite.
    """

    mean_factor = 1.0
    floor = 1e-6

    def rowwise(self, a: Gaussian, b: Gaussian) -> Float[Tensor, "*P"]:
        """Return KL(a || b)."""
        a, b = self._clamped(a), self._clamped(b)
        ratio = a.covariance / b.covariance
        shift = (b.mean - a.mean).square() / b.covariance
        return (ratio + shift - 1 - ratio.log()).sum(-1) / 2

    def query(self, a: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return -1/2 [S + mu^2, -2 mu, 1, -D - sum log S]."""
        mean, covariance = self._clamped(a)
        constant = -(1 + covariance.log()).sum(-1, keepdim=True)
        sides = [covariance + mean.square(), -2 * mean, torch.ones_like(constant), constant]
        return torch.cat(sides, -1) / -2

    def key(self, b: Gaussian) -> Float[Tensor, "*P Q"]:
        """Return [1 / S, mu / S, sum of mu^2 / S + log S, 1]."""
        mean, covariance = self._clamped(b)
        precision = covariance.reciprocal()
        constant = (mean.square() * precision + covariance.log()).sum(-1, keepdim=True)
        return torch.cat([precision, mean * precision, constant, torch.ones_like(constant)], -1)

    def _clamped(self, gaussian: Gaussian) -> Gaussian:
        return Gaussian(gaussian.mean, gaussian.covariance.clamp_min(self.floor))


def gaussian_distance(name: DistanceName) -> GaussianDistance:
    """Return the distance called `wasserstein` or `kl`."""
    return Wasserstein() if name == "wasserstein" else KullbackLeibler()
