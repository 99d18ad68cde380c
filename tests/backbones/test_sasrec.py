"""SASRec's original form against its release's way of computing: padded on the left, no key masked."""

import pytest
import torch

from prism_rec.backbones.sasrec import OriginalBlock, PostNormBlock, SASRecConfig
from prism_rec.errors import InputError

WINDOW, WIDTH = 10, 8
LENGTHS = torch.tensor([4, 2, WINDOW])


def make_backbone(empty_places: str) -> torch.nn.Module:
    settings = SASRecConfig(empty_places=empty_places, positions="last", layers=2, heads=2, dropout=0)
    torch.manual_seed(0)
    backbone = settings.build(WIDTH, WINDOW).double().eval()
    for parameter in backbone.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return backbone


def padded_on_the_left(backbone: torch.nn.Module, items: torch.Tensor) -> torch.Tensor:
    """Encode one history as the release does, or RecBoard, padded on the left, masked after every block."""
    length = len(items)
    x = torch.zeros(1, WINDOW, WIDTH, dtype=torch.float64)
    x[0, WINDOW - length :] = items * backbone.scale
    x = x + backbone.positions.table.weight
    if backbone.empty_places == "zeros":
        x[0, : WINDOW - length] = 0
    real = (torch.arange(WINDOW) >= WINDOW - length)[:, None]
    for block in backbone.blocks:
        x = block(x) * real
    return backbone.norm(x)[0, WINDOW - length :]


@pytest.mark.parametrize("empty_places", ["zeros", "positions"])
def test_empty_places_are_those_of_the_release_and_of_the_reference(empty_places) -> None:
    backbone, items = make_backbone(empty_places), torch.randn(3, WINDOW, WIDTH).double()
    states = backbone(items, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = padded_on_the_left(backbone, items[row, :length])
        torch.testing.assert_close(states[row, :length], expected, rtol=0, atol=1e-10)


def test_without_empty_places_a_short_history_is_another() -> None:
    backbone, items = make_backbone("hidden"), torch.randn(3, WINDOW, WIDTH).double()
    short = backbone(items, LENGTHS)[1, :2]
    assert not torch.allclose(short, padded_on_the_left(backbone, items[1, :2]), atol=1e-3)


def test_the_last_state_alone_is_the_last_of_all() -> None:
    for empty_places in ("hidden", "zeros", "positions"):
        backbone, items = make_backbone(empty_places), torch.randn(3, WINDOW, WIDTH).double()
        every = backbone(items, LENGTHS)
        last = backbone.last(items, LENGTHS)
        torch.testing.assert_close(last, every[torch.arange(3), LENGTHS - 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "settings", [{"attention_dropout": 0.1}, {"form": "post_norm", "empty_places": "zeros"}]
)
def test_a_setting_that_its_form_does_not_read_is_refused(settings):
    with pytest.raises(InputError, match=f"does not read {list(settings)[-1]}; remove it"):
        SASRecConfig.parse(settings)
    assert SASRecConfig.parse(SASRecConfig().model_dump()) == SASRecConfig()


def test_the_original_form_starts_as_the_encoder_of_the_reference_figures():
    """Attention's maps as one of D -> 3 D, tables and output maps Xavier-normal, the feed-forward as PyTorch has it."""
    width = 64
    torch.manual_seed(0)
    backbone = SASRecConfig(layers=1).build(width, 50)
    backbone.apply(backbone.initialise)
    (block,) = backbone.blocks
    attention, feed_forward = block.attention, block.feed_forward
    for linear in (attention.query, attention.key, attention.value):
        assert linear.weight.std().item() == pytest.approx((2 / (4 * width)) ** 0.5, rel=0.05)
    assert attention.output.weight.std().item() == pytest.approx(width**-0.5, rel=0.05)
    assert backbone.positions.table.weight.std().item() == pytest.approx((2 / (50 + width)) ** 0.5, rel=0.05)
    assert not any(linear.bias.any() for linear in (attention.query, attention.output))
    for linear in (feed_forward.inner, feed_forward.outer):
        assert linear.weight.abs().max().item() == pytest.approx(width**-0.5, rel=0.01)
        assert linear.bias.any()


def test_a_block_of_the_original_form_is_the_published_formula():
    torch.manual_seed(0)
    block, x = OriginalBlock(WIDTH, 2, dropout=0.0).double(), torch.randn(2, 5, WIDTH).double()
    for norm in (block.attention_norm, block.feed_forward_norm):
        torch.nn.init.normal_(norm.weight)
    y = block.feed_forward_norm(x + block.attention(block.attention_norm(x), x))
    torch.testing.assert_close(block(x), y + block.feed_forward(y), rtol=0, atol=1e-12)


def test_a_post_norm_block_drops_what_attention_adds():
    torch.manual_seed(0)
    block, x = PostNormBlock(WIDTH, 2, dropout=0.5, attention_dropout=0.0), torch.randn(2, 5, WIDTH)
    block.feed_forward.eval()
    assert not torch.equal(block(x), block(x))
    block.attention_dropout.eval()
    assert torch.equal(block(x), block(x))
