import torch
import torch.nn.functional as F
from torch import nn

from prism_rec.backbones.esasrec import ESASRecConfig, LiGRLayer


def made_layer() -> LiGRLayer:
    torch.manual_seed(0)
    layer = LiGRLayer(8, 2, 32, dropout=0.0).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


def reference_attention(layer: LiGRLayer) -> nn.MultiheadAttention:
    """Return PyTorch's attention, of which RecTools' layer is made, with the layer's weights."""
    ours = layer.attention
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
    theirs.out_proj = ours.output
    return theirs


def test_the_layer_is_that_of_the_paper():
    layer = made_layer()
    x = torch.randn(3, 5, 8, dtype=torch.float64)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    normed = F.layer_norm(x, (8,), layer.attention_norm.weight, layer.attention_norm.bias)
    seen = reference_attention(layer)(normed, normed, normed, attn_mask=future, need_weights=False)[0]
    middle = x + torch.sigmoid(layer.attention_gate(x)) * seen
    normed = F.layer_norm(middle, (8,), layer.feed_forward_norm.weight, layer.feed_forward_norm.bias)
    gate, inner, outer = (getattr(layer.feed_forward, name).weight.T for name in ("gate", "inner", "outer"))
    up = normed @ gate
    made = (up * torch.sigmoid(up) * (normed @ inner)) @ outer
    expected = middle + torch.sigmoid(layer.feed_forward_gate(middle)) * made
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-10)


def test_closed_gates_pass_the_input_on():
    layer = made_layer()
    for gate in (layer.attention_gate, layer.feed_forward_gate):
        nn.init.zeros_(gate.weight)
        nn.init.constant_(gate.bias, -1e3)
    x = torch.randn(3, 5, 8, dtype=torch.float64)
    assert torch.equal(layer(x), x)


def test_the_default_is_the_size_chosen_for_beauty():
    backbone = ESASRecConfig().build(64, 50)
    assert len(backbone.layers) == 1
    assert backbone.layers[0].feed_forward.gate.weight.shape == (256, 64)
