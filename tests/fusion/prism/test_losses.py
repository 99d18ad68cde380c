"""The interaction losses look only at what an item has."""

import pytest
import torch
from torch.testing import assert_close

from prism_rec.fusion.prism.losses import interaction_losses, mean_over, triplet_loss, view_similarity
from prism_rec.fusion.prism.views import Views
from prism_rec.nn.cosine import cosine

PRESENT = torch.tensor([[True, True], [True, False], [False, True], [False, False]])
ROLES = (0, 1, "redundancy", "synergy")


def draw(seed: int) -> torch.Tensor:
    return torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_similarity_is_the_mean_over_the_modalities_that_an_item_has():
    full, image, text = draw(0), draw(1), draw(2)
    similarity = view_similarity(full, (image, text), PRESENT)
    to_image, to_text = cosine(full, image), cosine(full, text)
    expected = torch.stack(
        [(to_image[0] + to_text[0]) / 2, to_image[1], to_text[2], torch.zeros(()).double()]
    )
    assert_close(similarity, expected)


def test_a_mean_is_over_the_items_that_count():
    values = torch.tensor([1.0, 2.0, torch.nan, 6.0])
    assert mean_over(values, torch.tensor([True, False, False, True])) == 3.5
    assert mean_over(values, torch.zeros(4, dtype=torch.bool)) == 0


@pytest.mark.parametrize(("distance", "margin"), [("cosine", 0.5), ("euclidean", 1.0)])
def test_the_losses_are_means_over_the_items_that_have_the_modality(distance, margin):
    views = [Views(draw(3 * j), (draw(3 * j + 1), draw(3 * j + 2))) for j in range(4)]
    losses = interaction_losses(ROLES, views, PRESENT, margin, distance)
    for m in (0, 1):
        full, (only, without) = views[m]
        assert_close(losses[m], triplet_loss(full, only, without, margin, distance)[PRESENT[:, m]].mean())
    described = PRESENT.any(1)
    similarity = [view_similarity(one.full_ID, one.masked, PRESENT)[described].mean() for one in views]
    assert_close(losses[2], 1 - similarity[2])
    assert_close(losses[3], similarity[3])


def test_triplets_are_the_published_formula():
    anchor, near, far = draw(0), draw(1), draw(2)
    expected = (0.5 + (1 - cosine(anchor, near)) - (1 - cosine(anchor, far))).clamp_min(0)
    assert_close(triplet_loss(anchor, near, far, 0.5, "cosine"), expected)
    assert (triplet_loss(anchor, anchor, -anchor, 0.5, "cosine") == 0).all()
