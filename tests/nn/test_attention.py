import pytest
import torch
from torch import nn

from prism_rec.nn.attention import CausalAttention


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


def test_attention_drops_weights_during_training_only():
    torch.manual_seed(0)
    attention = CausalAttention(8, 2, dropout=0.5)
    x = torch.randn(2, 6, 8)
    assert not torch.equal(attention(x, x), attention(x, x))
    attention.eval()
    assert torch.equal(attention(x, x), attention(x, x))
