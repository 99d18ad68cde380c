from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn

from prism_rec.backbones.stosa import Stosa, StosaConfig, StosaLayer, id_gaussian
from prism_rec.data.feature_table import FeatureTable
from prism_rec.model.config import ModelConfig
from prism_rec.nn.gaussian import Gaussian, gaussian_distance

HEADS, LAYERS = 4, 2  # of the recorded numbers
DISTANCES = ["wasserstein", "kl"]
STREAMS = {"mean": "mean", "covariance": "cov"}
MAPS = {"query": "q", "key": "k", "value": "v", "output": "out"}


def load(module: nn.Module, golden: Mapping[str, np.ndarray], name: str) -> None:
    module.load_state_dict({kind: torch.from_numpy(golden[f"{name}.{kind}"]) for kind in ("weight", "bias")})


def recorded_layer(golden: Mapping[str, np.ndarray], name: str) -> StosaLayer:
    width = golden["stosa.input.mean"].shape[-1]
    layer = StosaLayer(width, HEADS, 0.0, 0.0, gaussian_distance("wasserstein")).double()
    load(layer.attention_norm, golden, f"{name}.attention.norm")
    for stream, short in STREAMS.items():
        for ours, theirs in MAPS.items():
            load(
                getattr(getattr(layer.attention, stream), ours), golden, f"{name}.attention.{short}.{theirs}"
            )
        forward = getattr(layer, f"{stream}_feed_forward")
        load(forward.inner, golden, f"{name}.feedforward.{short}.in")
        load(forward.outer, golden, f"{name}.feedforward.{short}.out")
        load(getattr(layer, f"{stream}_norm"), golden, f"{name}.feedforward.{short}.norm")
    return layer


def test_the_layers_are_the_published_ones(golden):
    real = golden["stosa.item_ids"] > 0
    layers = [recorded_layer(golden, f"stosa.layer{number}") for number in range(LAYERS)]
    compared = 0
    for row, mask in enumerate(real):
        # Recorded with padding on the left, which no real place sees; here there is none.
        mean, covariance = (
            torch.from_numpy(golden[f"stosa.input.{part}"][row, mask])[None] for part in ("mean", "cov")
        )
        for layer in layers:
            mean, covariance = layer(mean, covariance)
        for ours, part in ((mean, "mean"), (covariance, "cov")):
            expected = golden[f"stosa.output.{part}"][row, mask]
            np.testing.assert_allclose(ours[0].detach(), expected, rtol=0, atol=1e-10)
            compared += len(expected)
    assert compared == 2 * real.sum()


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_mean_passes_from_layer_to_layer(distance):
    """The release drops it: its mean is the last input vector, whatever came before."""
    backbone = StosaConfig(distance=distance, layers=2, heads=2).build(8, 10).eval()
    inputs = torch.randn(1, 6, 16, generator=torch.Generator().manual_seed(0))
    changed = inputs.clone()
    changed[0, 0, 0] += 1
    lengths = torch.tensor([6])
    apart = (backbone(inputs, lengths) - backbone(changed, lengths))[0, -1, :8]
    assert apart.abs().max() > 1e-4


@pytest.mark.parametrize("distance", DISTANCES)
def test_attention_and_scores_take_the_same_distance(distance):
    backbone = StosaConfig(distance=distance, heads=2).build(8, 10)
    assert all(layer.attention.distance is backbone.distance for layer in backbone.layers)


def described(number_of_items: int) -> dict[str, FeatureTable]:
    rng = np.random.default_rng(0)
    present = np.arange(number_of_items + 1) % 4 != 0
    vectors = rng.normal(size=(number_of_items + 1, 6)).astype(np.float32) * present[:, None]
    return {"image": FeatureTable(vectors, present), "text": FeatureTable(vectors[:, ::-1].copy(), present)}


def built(distance: str, fusion: str):
    settings = {"backbone": {"kind": "stosa", "distance": distance, "heads": 2}, "fusion": {"kind": fusion}}
    torch.manual_seed(0)
    model = ModelConfig.parse({"width": 8, "max_length": 10, **settings}, "here").build(12, described(12))
    return model.double().eval()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("fusion", ["id", "prism_experts"])
def test_a_score_is_the_negative_distance_plus_content_along_the_mean(distance, fusion):
    model = built(distance, fusion)
    items = model.item_set()
    users = model.encode_last(model.read(torch.tensor([1, 2, 5]), torch.tensor([3]), items=items))
    rows = torch.arange(1, 13)[None]
    shares = model.contributions(users, rows, items)
    state = Gaussian(*users.states.chunk(2, -1))
    candidates = id_gaussian(items.ids_IV[1:])
    expected = gaussian_distance(distance).rowwise(state, candidates)
    torch.testing.assert_close(-shares[0, :, 0], expected)
    if fusion == "prism_experts":
        factor = {"wasserstein": 2, "kl": 1}[distance]
        along = factor * items.parts.components_IJD[1:] @ state.mean[0]
        present = items.parts.present_IJ[1:]
        weights = users.weights * present / (users.weights * present).sum(-1, keepdim=True).clamp_min(1e-300)
        torch.testing.assert_close(shares[0, :, 1:], weights * along)
    torch.testing.assert_close(model.score(users, rows, items), shares.sum(-1))


@pytest.mark.parametrize("distance", DISTANCES)
def test_content_reaches_both_streams(distance):
    """Through experts and gate that both share; an item without content adds nothing to either."""
    model = built(distance, "sum")
    assert model.items.ids.weight.shape[1] == 16
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    items = model.item_set()
    model.encode(model.read(torch.tensor([1, 4]), torch.tensor([2]), items=items))
    added = seen[0][0] - items.ids_IV[[1, 4]]
    content = items.parts.components_IJD[[1, 4]].sum(1)
    torch.testing.assert_close(added[:, :8], content)
    torch.testing.assert_close(added[:, 8:], content @ model.further_streams.weight.T)
    assert added[0].abs().min() > 0
    assert not added[1].any()


def test_without_content_there_is_no_map_for_it():
    model = built("wasserstein", "id")
    assert model.further_streams is None
    assert isinstance(model.backbone, Stosa)


def test_weights_start_a_little_above_zero():
    torch.manual_seed(0)
    backbone = StosaConfig().build(64, 50)
    backbone.apply(backbone.initialise)
    for weight in (backbone.positions.table.weight, backbone.layers[0].attention.mean.query.weight):
        assert weight.mean().item() == pytest.approx(0.01, abs=0.002)
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not backbone.layers[0].attention.mean.query.bias.any()
