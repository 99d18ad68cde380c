import pytest
import torch
from torch import Tensor, nn

from prism_rec.backbones.bsarec import BSARec, BSARecConfig, BSARecLayer

WIDTH, WINDOW = 8, 12


def build(form: str, layers: int = 2, positions: str = "first", empty_places: str = "hidden") -> BSARec:
    torch.manual_seed(0)
    config = BSARecConfig(form=form, layers=layers, heads=2, positions=positions, empty_places=empty_places)
    backbone = config.build(WIDTH, WINDOW).eval()
    for parameter in backbone.parameters():
        nn.init.normal_(parameter, std=0.5)
    return backbone.double()


def attend(layer: BSARecLayer, x: Tensor) -> Tensor:
    ours = layer.attention
    query, key, value = (
        getattr(ours, name)(x).unflatten(-1, (2, -1)).movedim(-2, 0) for name in ("query", "key", "value")
    )
    logits = query @ key.mT / (WIDTH / 2) ** 0.5
    future = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
    context = logits.masked_fill(future, -torch.inf).softmax(-1) @ value
    return layer.attention_norm(x + ours.output(context.movedim(0, -2).flatten(-2)))


def released(backbone: BSARec, prefix: Tensor) -> Tensor:
    """Return the release's state of one history: a Fourier transform over the window that ends with it."""
    length = len(prefix)
    x = backbone.norm(prefix + backbone.positions.table.weight[WINDOW - length :])
    for layer in backbone.layers:
        window = torch.cat([torch.zeros(WINDOW - length, WIDTH, dtype=x.dtype), x])
        spectrum = torch.fft.rfft(window, dim=0, norm="ortho")
        spectrum[3:] = 0
        low = torch.fft.irfft(spectrum, n=WINDOW, dim=0, norm="ortho")[WINDOW - length :]
        filtered = layer.filter.norm(x + low + layer.filter.beta_D**2 * (x - low))
        x = 0.7 * filtered + 0.3 * attend(layer, x)
        inner = torch.nn.functional.gelu(layer.feed_forward.inner(x))
        x = layer.feed_forward_norm(x + layer.feed_forward.outer(inner))
    return x[-1]


@pytest.mark.slow
def test_every_prefix_has_the_state_that_the_release_gives_it():
    backbone = build("prefix", positions="last")
    backbone.low_pass_WW = precise_low_pass()
    lengths = torch.tensor([3, 12, 1, 7])
    inputs = torch.randn(4, WINDOW, WIDTH, dtype=torch.float64)
    states = backbone(inputs, lengths)
    for row, length in enumerate(lengths):
        for t in range(length):
            expected = released(backbone, inputs[row, : t + 1])
            torch.testing.assert_close(states[row, t], expected, rtol=0, atol=1e-10)


def precise_low_pass() -> Tensor:
    """Return the filter's matrix in double precision; a model in use has it in single."""
    spectrum = torch.fft.rfft(torch.eye(WINDOW, dtype=torch.float64), dim=0)
    spectrum[3:] = 0
    return torch.fft.irfft(spectrum, n=WINDOW, dim=0)


@pytest.mark.parametrize(("layers", "same"), [(1, True), (2, False)])
def test_the_causal_form_differs_from_the_second_layer_on(layers, same):
    inputs, lengths = torch.randn(3, 9, WIDTH, dtype=torch.float64), torch.tensor([9, 9, 9])
    causal, prefix = (build(form, layers)(inputs, lengths) for form in ("causal", "prefix"))
    assert torch.allclose(causal, prefix, rtol=0, atol=1e-10) is same
    torch.testing.assert_close(causal[:, 0], prefix[:, 0])  # of one item nothing follows


def in_whole_window(backbone: BSARec, history: Tensor) -> Tensor:
    """Return the states of one history at the end of a window whose empty places hold their position vectors."""
    empty = WINDOW - len(history)
    window = torch.cat([torch.zeros(empty, WIDTH, dtype=history.dtype), history])
    x = backbone.norm(window + backbone.positions.table.weight)
    for layer in backbone.layers:
        low = precise_low_pass().tril() @ x
        filtered = layer.filter.norm(x + low + layer.filter.beta_D**2 * (x - low))
        seen = torch.cat([attend(layer, part) for part in x.split([empty, len(history)])])
        x = 0.7 * filtered + 0.3 * seen
        inner = torch.nn.functional.gelu(layer.feed_forward.inner(x))
        x = layer.feed_forward_norm(x + layer.feed_forward.outer(inner))
    return x[empty:]


def test_the_filter_sees_the_positions_of_empty_places_where_it_is_told_to():
    backbone = build("causal", positions="last", empty_places="positions")
    backbone.low_pass_WW = precise_low_pass()
    lengths = torch.tensor([3, 12, 1, 7])
    inputs = torch.randn(4, WINDOW, WIDTH, dtype=torch.float64)
    states = backbone(inputs, lengths)
    for row, length in enumerate(lengths):
        expected = in_whole_window(backbone, inputs[row, :length])
        torch.testing.assert_close(states[row, :length], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("form", "positions"), [("causal", "first"), ("prefix", "last")])
def test_what_sees_no_empty_places_refuses_to_be_told_of_them(form, positions):
    with pytest.raises(ValueError, match="needs form: causal and positions: last"):
        build(form, positions=positions, empty_places="positions")


@pytest.mark.parametrize(
    ("form", "positions", "empty_places"),
    [
        ("causal", "first", "hidden"),
        ("causal", "last", "positions"),
        ("prefix", "first", "hidden"),
        ("prefix", "last", "hidden"),
    ],
)
def test_no_state_sees_what_comes_after_it(form, positions, empty_places):
    backbone = build(form, positions=positions, empty_places=empty_places)
    inputs, lengths = torch.randn(2, 9, WIDTH, dtype=torch.float64), torch.tensor([9, 6])
    changed = inputs.clone()
    changed[:, 5:] = torch.randn(2, 4, WIDTH, dtype=torch.float64)
    before, after = backbone(inputs, lengths), backbone(changed, lengths)
    torch.testing.assert_close(before[:, :5], after[:, :5], rtol=0, atol=1e-10)
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_with_nothing_left_to_rescale_the_filter_is_a_norm():
    backbone = BSARecConfig(cutoff=WINDOW).build(WIDTH, WINDOW)
    x = torch.randn(2, WINDOW, WIDTH)
    filtered = backbone.layers[0].filter.eval()(x, backbone.low_pass_WW @ x)
    torch.testing.assert_close(filtered, nn.functional.layer_norm(2 * x, (WIDTH,)), rtol=1e-4, atol=1e-4)
