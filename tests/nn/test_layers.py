import pytest
import torch
import torch.nn.functional as F
from torch import nn

from prism_rec.nn.attention import CausalAttention
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.feed_forward import FeedForward
from prism_rec.nn.rows import gather_rows


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_that_of_pytorch_over_the_past(heads):
    torch.manual_seed(0)
    ours = CausalAttention(8, heads, dropout=0.0).double()
    theirs = nn.MultiheadAttention(8, heads, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
    theirs.out_proj = ours.output
    asking, seen = torch.randn(2, 3, 5, 8, dtype=torch.float64)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    expected = theirs(asking, seen, seen, attn_mask=future, need_weights=False)[0]
    torch.testing.assert_close(ours(asking, seen), expected, rtol=0, atol=1e-10)


def test_attention_drops_weights_during_training_alone():
    torch.manual_seed(0)
    attention = CausalAttention(8, 2, dropout=0.5)
    x = torch.randn(2, 6, 8)
    assert not torch.equal(attention(x, x), attention(x, x))
    attention.eval()
    assert torch.equal(attention(x, x), attention(x, x))


def test_the_feed_forward_drops_where_it_says():
    torch.manual_seed(0)
    network = FeedForward(6, 10, F.relu, dropout=0.0, hidden_dropout=0.0)
    x = torch.randn(4, 6)
    expected = F.linear(F.linear(x, network.inner.weight, network.inner.bias).relu(), network.outer.weight)
    torch.testing.assert_close(network(x), expected + network.outer.bias)
    at_the_end = FeedForward(6, 10, F.relu, dropout=0.5)
    assert (at_the_end(x) == 0).any()
    inside = FeedForward(6, 10, F.relu, dropout=0.0, hidden_dropout=0.5)
    assert not (inside(x) == 0).any()
    assert not torch.equal(inside(x), inside(x))


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


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 2, 3, 4)])
@pytest.mark.parametrize("places", [(5,), (2, 5), (0,)])
def test_gathered_rows_are_those_of_indexing_with_its_gradient(shape, places):
    rows = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    index = torch.randint(0, 6, places, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(*places, *shape[1:], dtype=torch.float64)
    assert torch.equal(gather_rows(rows, index), rows[index])
    (slope,) = torch.autograd.grad((gather_rows(rows, index) * weights).sum(), rows)
    (expected,) = torch.autograd.grad((rows[index] * weights).sum(), rows)
    torch.testing.assert_close(slope, expected, rtol=0, atol=1e-12)
