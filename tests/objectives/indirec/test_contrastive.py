import pytest
import torch
from torch.testing import assert_close

from prism_rec.objectives.indirec.contrastive import info_nce


def test_it_is_the_published_loss(golden):
    generated, encoded, targets = (
        torch.from_numpy(golden[f"infonce.{name}"]) for name in ("generated", "encoded", "target_items")
    )
    expected = torch.tensor(float(golden["infonce.loss_temperature_1"]), dtype=torch.float64)
    assert_close(info_nce(generated, encoded, targets, 1.0), expected, rtol=0, atol=1e-10)


def test_rows_with_the_same_target_are_no_negatives():
    one, other = torch.randn(2, 5, 4, dtype=torch.float64).unbind()
    assert info_nce(one, other, torch.full((5,), 3), 1.0).item() == 0
    assert info_nce(one, other, torch.tensor([3, 3, 3, 3, 4]), 1.0) > 0


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_similarities(temperature):
    one, other = torch.randn(2, 5, 4, dtype=torch.float64).unbind()
    scale, targets = temperature**-0.5, torch.arange(5)
    assert_close(
        info_nce(one, other, targets, temperature), info_nce(scale * one, scale * other, targets, 1.0)
    )
