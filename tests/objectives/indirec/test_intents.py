import numpy as np
import pytest
import torch

from objectives.indirec.planted_intents import adjusted_rand_index
from prism_rec.objectives.indirec.intents import Intents, k_means


def blobs(intents: int, points: int, spread: float) -> tuple[torch.Tensor, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(intents, 16, generator=generator)
    labels = torch.arange(points) % intents
    return centres[labels] + spread * torch.randn(points, 16, generator=generator), labels.numpy()


@pytest.mark.parametrize(("intents", "points"), [(3, 60), (8, 400), (32, 20_000)])
def test_planted_clusters_are_found(intents, points):
    vectors, planted = blobs(intents, points, spread=0.4)
    torch.manual_seed(1)
    assert adjusted_rand_index(k_means(vectors, intents).numpy(), planted) >= 0.9


def test_the_index_itself():
    one = np.array([0, 0, 1, 1, 2, 2])
    assert adjusted_rand_index(one, 2 - one) == 1
    assert abs(adjusted_rand_index(np.arange(4000) % 2, np.arange(4000) // 2 % 2)) < 0.01


def test_a_seed_decides_everything():
    vectors, _ = blobs(5, 300, spread=2.0)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(k_means(vectors, 5).tolist())
    assert found[0] == found[1] != found[2]


def test_more_restarts_are_no_worse():
    vectors, _ = blobs(20, 200, spread=1.0)

    def cost(restarts: int) -> float:
        torch.manual_seed(0)
        labels = k_means(vectors, 20, restarts=restarts)
        return sum(((x := vectors[labels == k]) - x.mean(0)).square().sum().item() for k in labels.unique())

    assert cost(10) < cost(1)


@pytest.mark.parametrize("points", [1, 3])
def test_fewer_points_than_clusters_are_each_alone(points):
    labels = k_means(torch.eye(5)[:points], 4)
    assert len(labels.unique()) == points


def test_points_that_coincide_share_a_cluster():
    labels = k_means(torch.ones(6, 2).double(), 4)
    assert len(labels.unique()) == 1


def test_a_companion_is_any_of_the_same_intent():
    labels = np.array([3, 0, 3, 3, 0, 5])
    drawn = (
        Intents(labels, np.arange(len(labels)))
        .companions(np.repeat(np.arange(6), 500), np.random.default_rng(0))
        .reshape(6, 500)
    )
    for segment, companions in enumerate(drawn):
        members, counts = np.unique(companions, return_counts=True)
        assert members.tolist() == np.flatnonzero(labels == labels[segment]).tolist()
        assert counts.min() > 0.8 * 500 / len(members)
