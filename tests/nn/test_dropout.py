import pytest
import torch

from prism_rec.nn.dropout import Dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(100_000,), (101, 990), (3, 5, 7001)])
def test_dropout_keeps_the_mean_and_the_share(shape, probability):
    torch.manual_seed(0)
    x = torch.ones(shape)
    dropped = Dropout(probability)(x)
    # Five standard deviations of the share.
    bound = 5 * (probability * (1 - probability) / x.numel()) ** 0.5
    assert abs((dropped == 0).float().mean().item() - probability) < bound
    torch.testing.assert_close(
        dropped[dropped != 0],
        torch.full_like(dropped[dropped != 0], 1 / (1 - probability)),
        rtol=2e-4,
        atol=0,
    )


def test_dropout_drops_each_element_for_itself():
    """Four neighbours share one random number, of which each has its own bits."""
    torch.manual_seed(0)
    kept = Dropout(0.5)(torch.ones(40_000)).reshape(-1, 4) != 0
    correlation = torch.corrcoef(kept.T.float())
    assert (correlation - torch.eye(4)).abs().max() < 0.05


def test_dropout_is_drawn_anew_by_the_seed_and_does_nothing_outside_training():
    dropout, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(0)
    one, two = dropout(x), dropout(x)
    torch.manual_seed(0)
    assert torch.equal(dropout(x), one)
    assert not torch.equal(one, two)
    assert Dropout(0.0)(x) is x
    assert dropout.eval()(x) is x


def test_dropout_passes_the_gradient_of_what_it_keeps():
    torch.manual_seed(0)
    x = torch.ones(100, requires_grad=True, dtype=torch.float64)
    dropped = Dropout(0.25)(x)
    dropped.sum().backward()
    assert dropped.dtype == x.dtype
    assert torch.equal(x.grad, dropped.detach())
