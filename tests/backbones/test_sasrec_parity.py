"""The post-norm layers against numbers recorded from the published code, in float64 at 1e-10."""

import pytest
import torch

from prism_rec.backbones.sasrec import PostNormBlock

HEADS = 4
NAMES = {
    "attention.query": "attention.q",
    "attention.key": "attention.k",
    "attention.value": "attention.v",
    "attention.output": "attention.out",
    "attention_norm": "attention.norm",
    "feed_forward.inner": "feedforward.in",
    "feed_forward.outer": "feedforward.out",
    "feed_forward_norm": "feedforward.norm",
}


def load_layer(golden, number: int) -> PostNormBlock:
    weights = {
        f"{ours}.{kind}": torch.from_numpy(golden[f"sasrec.layer{number}.{theirs}.{kind}"])
        for ours, theirs in NAMES.items()
        for kind in ("weight", "bias")
    }
    layer = PostNormBlock(golden["sasrec.input"].shape[-1], HEADS, dropout=0.0, attention_dropout=0.0)
    layer.double().load_state_dict(weights)
    return layer.eval()


@pytest.fixture(scope="module")
def layers(golden) -> list[PostNormBlock]:
    count = len({name.split(".")[1] for name in golden if name.startswith("sasrec.layer")})
    return [load_layer(golden, number) for number in range(count)]


def test_real_positions_come_out_as_recorded(golden, layers):
    """The recording is padded on the left, with item 0; we see the real places alone."""
    assert len(layers) >= 1
    for row, items in enumerate(golden["sasrec.item_ids"]):
        real = items != 0
        x = torch.from_numpy(golden["sasrec.input"][row, real])[None]
        for layer in layers:
            x = layer(x)
        expected = torch.from_numpy(golden["sasrec.output"][row, real])
        torch.testing.assert_close(x[0], expected, rtol=0, atol=1e-10)


def test_the_last_position_alone_comes_out_the_same(golden, layers):
    items = golden["sasrec.item_ids"]
    for row in range(len(items)):
        real = items[row] != 0
        x = torch.from_numpy(golden["sasrec.input"][row, real])[None]
        for layer in layers[:-1]:
            x = layer(x)
        last = layers[-1](x, torch.tensor([int(real.sum())]))
        expected = torch.from_numpy(golden["sasrec.output"][row, real][-1])
        torch.testing.assert_close(last[0, 0], expected, rtol=0, atol=1e-10)
