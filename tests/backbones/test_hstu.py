"""HSTU against its equations, written out place by place."""

import pytest
import torch
from torch import Tensor, nn

from prism_rec.backbones.hstu import HSTU, HSTUConfig, HSTULayer
from prism_rec.errors import SettingsError

WIDTH, WINDOW, HEADS = 8, 7, 2


def made(layers: int = 2) -> HSTU:
    torch.manual_seed(0)
    backbone = HSTUConfig(layers=layers, heads=HEADS, dropout=0.0).build(WIDTH, WINDOW).double().eval()
    for parameter in backbone.parameters():
        nn.init.normal_(parameter, std=0.5)
    return backbone


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))


def normed(x: Tensor) -> Tensor:
    return (x - x.mean()) / (x.var(correction=0) + 1e-6).sqrt()


def slow_layer(layer: HSTULayer, x: Tensor) -> Tensor:
    """Return one layer's outputs for one history [L, D], every sum written as a loop."""
    d = WIDTH // HEADS
    gate_map, query_map = layer.gate_and_query.weight.chunk(2)
    key_map, value_map = layer.key_and_value.weight.chunk(2)
    rows = []
    for t in range(len(x)):
        gate, query = silu(gate_map @ normed(x[t])), silu(query_map @ normed(x[t]))
        seen = torch.zeros(WIDTH, dtype=x.dtype)
        for h in range(HEADS):
            part = slice(h * d, (h + 1) * d)
            for j in range(t + 1):
                key, value = silu(key_map @ normed(x[j])), silu(value_map @ normed(x[j]))
                weight = silu(query[part] @ key[part] + layer.distance.weight[t - j, 0]) / WINDOW
                seen[part] += weight * value[part]
        rows.append(x[t] + layer.output.weight @ (normed(seen) * gate) + layer.output.bias)
    return torch.stack(rows)


def test_the_states_are_those_of_the_equations() -> None:
    backbone, items, lengths = made(), torch.randn(3, 6, WIDTH).double(), torch.tensor([6, 1, 4])
    states, last = backbone(items, lengths), backbone.last(items, lengths)
    for row, length in enumerate(lengths.tolist()):
        x = items[row, :length] * WIDTH**0.5 + backbone.positions.table.weight[:length]
        for layer in backbone.layers:
            x = slow_layer(layer, x)
        expected = torch.stack([normed(place) for place in x]) * backbone.norm.weight + backbone.norm.bias
        torch.testing.assert_close(states[row, :length], expected, rtol=0, atol=1e-10)
        torch.testing.assert_close(last[row], expected[-1], rtol=0, atol=1e-10)


def test_a_bias_belongs_to_one_distance() -> None:
    """That of distance 2 changes place 2, the first to see an item so far back, and no place before it."""
    backbone, items = made(layers=1), torch.randn(1, 3, WIDTH).double()
    before = backbone(items, torch.tensor([3]))
    with torch.no_grad():
        backbone.layers[0].distance.weight[2] += 1
    after = backbone(items, torch.tensor([3]))
    assert torch.equal(before[0, :2], after[0, :2])
    assert not torch.allclose(before[0, 2], after[0, 2], atol=1e-6)


def test_first_weights_are_small_and_outputs_are_xavier_uniform() -> None:
    torch.manual_seed(0)
    backbone = HSTUConfig().build(64, 50)
    backbone.apply(backbone.initialise)
    (layer, _) = backbone.layers
    for weight in (layer.gate_and_query.weight, layer.key_and_value.weight, backbone.positions.table.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert layer.output.weight.abs().max().item() == pytest.approx((6 / 128) ** 0.5, rel=0.01)
    assert not layer.output.bias.any()


def test_heads_divide_the_width() -> None:
    with pytest.raises(SettingsError, match=r"model\.width 8 is not a multiple of model\.backbone\.heads 3"):
        HSTUConfig(heads=3).build(8, 5)
