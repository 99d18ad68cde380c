import torch
import torch.nn.functional as F

from prism_rec.nn.feed_forward import FeedForward


def test_the_feed_forward_drops_in_the_hidden_layer_or_at_the_end():
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
