"""What stands for a modality that a view hides (the paper's table 4)."""

import pytest
import torch
from torch.testing import assert_close

from prism_rec.errors import InputError
from prism_rec.fusion.prism.views import make_masks
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig

MASKS = ["random", "mean", "zero"]
PRESENT = torch.tensor([[True, True], [True, False], [False, True], [False, False]])


def projected() -> torch.Tensor:
    return torch.randn(
        4, 2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    ).requires_grad_()


def test_the_mean_is_of_what_is_there():
    vectors = projected()
    masks = make_masks("mean", vectors, PRESENT)
    assert_close(masks[0, 0], vectors[:2, 0].mean(0))
    assert_close(masks[1, 0], masks[0, 0])
    assert_close(masks[2, 1], (vectors[0, 1] + vectors[2, 1]) / 2)


def test_zero_is_zero_and_noise_is_drawn_anew_at_the_norm_of_what_it_replaces():
    vectors = projected()
    assert not make_masks("zero", vectors, PRESENT)[PRESENT].any()
    one, other = make_masks("random", vectors, PRESENT), make_masks("random", vectors, PRESENT)
    assert_close(one.norm(dim=-1), vectors.norm(dim=-1))
    assert not torch.isclose(one[PRESENT], other[PRESENT]).any()


@pytest.mark.parametrize("mask", MASKS)
def test_what_stands_for_an_absent_modality_stays_and_alone_learns(mask):
    vectors = projected()
    masks = make_masks(mask, vectors, PRESENT)
    assert_close(masks[~PRESENT], vectors[~PRESENT])
    masks.sum().backward()
    assert not vectors.grad[PRESENT].any()
    assert (vectors.grad[~PRESENT] == 1).all()


@pytest.mark.parametrize("mask", MASKS)
def test_without_a_single_picture_nothing_breaks(mask):
    vectors, absent = projected(), torch.zeros(4, 2, dtype=torch.bool)
    assert_close(make_masks(mask, vectors, absent), vectors)
    assert make_masks(mask, vectors[:0], absent[:0]).shape == (0, 2, 5)


def test_an_unknown_mask_is_refused():
    with pytest.raises(InputError, match="mask"):
        ExpertPrismConfig.parse({"mask": "median"})
