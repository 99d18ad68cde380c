import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, Normal, kl_divergence

from prism_rec.nn.gaussian import Gaussian, GaussianDistance, KullbackLeibler, Wasserstein

DISTANCES = [Wasserstein(), KullbackLeibler()]


def draw(seed: int, *shape: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return Gaussian(mean, 0.05 + torch.rand(*shape, generator=generator, dtype=torch.float64))


def recorded(golden: dict[str, np.ndarray], side: str) -> Gaussian:
    return Gaussian(*(torch.from_numpy(golden[f"distance.{part}_{side}"]) for part in ("mean", "cov")))


def rows(gaussian: Gaussian, count: int) -> Gaussian:
    return Gaussian(gaussian.mean[:count], gaussian.covariance[:count])


def test_wasserstein_is_the_published_one(golden):
    a, b = recorded(golden, "a"), recorded(golden, "b")
    pairwise = golden["distance.wasserstein_pairwise"]
    rowwise = golden["distance.wasserstein_rowwise_first5"]
    np.testing.assert_allclose(Wasserstein().pairwise(a, b), pairwise, rtol=0, atol=1e-10)
    count = len(rowwise)
    np.testing.assert_allclose(
        Wasserstein().rowwise(rows(a, count), rows(b, count)), rowwise, rtol=0, atol=1e-10
    )


def test_kl_is_the_published_one(golden):
    expected = golden["distance.kl_rowwise_first5"]
    a, b = (rows(recorded(golden, side), len(expected)) for side in "ab")
    np.testing.assert_allclose(KullbackLeibler().rowwise(a, b), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(KullbackLeibler().pairwise(a, b).diagonal(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
@given(seed=st.integers(0, 1000), left=st.integers(1, 6), right=st.integers(1, 6), width=st.integers(1, 9))
@settings(max_examples=20)
def test_pairwise_is_rowwise_of_all_pairs(distance: GaussianDistance, seed, left, right, width):
    a, b = draw(seed, 2, left, width), draw(seed + 1, 2, right, width)
    one = Gaussian(a.mean[:, :, None], a.covariance[:, :, None])
    other = Gaussian(b.mean[:, None], b.covariance[:, None])
    torch.testing.assert_close(distance.pairwise(a, b), distance.rowwise(one, other), rtol=1e-10, atol=1e-10)


def test_kl_is_that_of_torch_also_where_a_determinant_underflows():
    a, b = draw(0, 3, 600), draw(1, 3, 600)
    assert torch.all(torch.cat(b).prod(-1) == 0) or torch.all(b.covariance.float().prod(-1) == 0)
    expected = kl_divergence(
        *(Independent(Normal(gaussian.mean, gaussian.covariance.sqrt()), 1) for gaussian in (a, b))
    )
    torch.testing.assert_close(KullbackLeibler().rowwise(a, b), expected)
    single = [Gaussian(*(part.float() for part in gaussian)) for gaussian in (a, b)]
    torch.testing.assert_close(KullbackLeibler().rowwise(*single), expected.float(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_gaussian_has_no_distance_to_itself_and_some_to_any_other(distance: GaussianDistance):
    a = draw(0, 5, 4)
    apart = distance.pairwise(a, a)
    torch.testing.assert_close(apart.diagonal(), torch.zeros(5, dtype=torch.float64))
    assert (apart + torch.eye(5) > 0).all()


@pytest.mark.parametrize("distance", DISTANCES)
def test_no_covariance_at_all_leaves_value_and_slope_finite(distance: GaussianDistance):
    mean = torch.zeros(2, 3, requires_grad=True)
    covariance = torch.zeros(2, 3, requires_grad=True)
    value = distance.pairwise(Gaussian(mean, covariance), Gaussian(mean + 1, covariance + 0.5)).sum()
    other_way = distance.pairwise(Gaussian(mean + 1, covariance + 0.5), Gaussian(mean, covariance)).sum()
    (value + other_way).backward()
    assert torch.isfinite(value + other_way)
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(covariance.grad).all()
