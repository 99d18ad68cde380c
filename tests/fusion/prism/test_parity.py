"""PRISM against numbers recorded from the published code, in float64 at 1e-10."""

import numpy as np
import pytest
import torch

from prism_rec.fusion.gate import Gate
from prism_rec.fusion.prism.common import component_roles
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import interaction_losses
from prism_rec.fusion.prism.views import Views, masked_views

MODALITIES = ("image", "text")
# Ours: unique parts, redundancy, synergy. The recording's gate has synergy before redundancy.
ROLES = component_roles(MODALITIES)
OURS = [name.replace(":", "_") for name in ROLES]
THEIRS = ["unique_image", "unique_text", "synergy", "redundancy"]
PLACES = [THEIRS.index(name) for name in OURS]


@pytest.fixture(scope="module")
def recorded(golden) -> dict[str, torch.Tensor]:
    arrays = {name: array for name, array in golden.items() if name.startswith("prism.")}
    return {
        name.removeprefix("prism."): torch.from_numpy(np.asarray(array)) for name, array in arrays.items()
    }


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@pytest.fixture(scope="module")
def experts(recorded) -> Experts:
    width = recorded["image"].shape[1]
    made = Experts(
        len(MODALITIES), len(OURS), width, recorded[f"expert.{OURS[0]}.in.bias"].shape[0], dropout=0.0
    )
    made.double()
    with torch.no_grad():
        for j, name in enumerate(OURS):
            for m, weight in enumerate(recorded[f"expert.{name}.in.weight"].split(width, 1)):
                made.inner_weight_MJDH[m, j] = weight.T
            made.inner_bias_JH[j] = recorded[f"expert.{name}.in.bias"]
            made.outer_weight_JHD[j] = recorded[f"expert.{name}.out.weight"].T
            made.outer_bias_JD[j] = recorded[f"expert.{name}.out.bias"]
    return made


@pytest.fixture(scope="module")
def gate(recorded) -> Gate:
    width = recorded["image"].shape[1]
    made = Gate(len(OURS), width, temperature=0.7, dropout=0.0).double()
    blocks = recorded["gate.0.weight"].split(width, 1)
    with torch.no_grad():
        made.inner.weight.copy_(torch.cat([*(blocks[place] for place in PLACES), blocks[-1]], 1))
        made.inner.bias.copy_(recorded["gate.0.bias"])
        made.outer.weight.copy_(recorded["gate.1.weight"][PLACES])
        made.outer.bias.copy_(recorded["gate.1.bias"][PLACES])
    return made


@pytest.fixture(scope="module")
def outputs(experts, recorded) -> torch.Tensor:
    return experts(torch.stack([recorded[name] for name in MODALITIES], 1)).detach()


def test_the_experts_say_what_was_recorded(outputs, recorded):
    for j, name in enumerate(OURS):
        assert_close(outputs[j], recorded[f"output.{name}"])


def test_experts_of_shares_say_the_same(experts, outputs, recorded):
    assert_close(
        experts.of_shares([experts.share(m, recorded[name]) for m, name in enumerate(MODALITIES)]), outputs
    )


@pytest.fixture(scope="module")
def views(experts, outputs, recorded) -> list[Views]:
    """Return the masked views, with the noise that each expert was given."""
    masks = [torch.stack([recorded[f"noise.{name}.{modality}"] for name in OURS]) for modality in MODALITIES]
    shown = [recorded[name] for name in MODALITIES]
    return masked_views(experts, list(ROLES.values()), outputs, shown, masks)


def test_the_losses_are_those_recorded(views, recorded):
    present = torch.ones(len(recorded["image"]), len(MODALITIES), dtype=torch.bool)
    losses = interaction_losses(list(ROLES.values()), views, present, margin=1.0, distance="euclidean")
    for j, name in enumerate(OURS):
        assert_close(losses[j], recorded[f"loss.{name}"])
    assert_close(0.1 * losses.sum(), recorded["loss.total_lambda_0.1"])


def test_the_gate_weighs_as_recorded_and_the_fused_vector_follows(gate, outputs, recorded):
    ids = recorded["id_sequence"].mean(1)
    weights = gate(gate.evidence(outputs.transpose(0, 1), ids))
    assert_close(weights, recorded["gate.weights_temperature_0.7"][:, PLACES])
    assert_close((weights.T[..., None] * outputs).sum(0), recorded["fused"])


def test_the_masked_view_of_one_modality_differs_from_that_of_the_other(experts, views, recorded):
    """The recording would not notice views that are swapped in a symmetric loss alone."""
    for said in views:
        assert not torch.allclose(*said.masked)
    image_alone = experts.of_shares(
        [experts.share(0, recorded["image"])]
        + [experts.share(1, torch.stack([recorded[f"noise.{name}.text"] for name in OURS]))]
    )
    image, text, redundancy, synergy = range(4)
    assert_close(views[image].masked[0], image_alone[image])  # its own alone
    assert_close(views[text].masked[1], image_alone[text])  # without its own
    assert_close(views[redundancy].masked[0], image_alone[redundancy])
    assert_close(views[synergy].masked[0], image_alone[synergy])


def test_weights_start_as_those_of_separate_networks():
    """Xavier-normal: the variance is 2 / (inputs + outputs) of each network's maps, M D -> H and H -> D."""
    torch.manual_seed(0)
    experts = Experts(modalities=3, components=5, width=32, hidden=48, dropout=0.0)
    assert experts.inner_weight_MJDH.std().item() == pytest.approx((2 / (3 * 32 + 48)) ** 0.5, rel=0.03)
    assert experts.outer_weight_JHD.std().item() == pytest.approx((2 / (48 + 32)) ** 0.5, rel=0.03)
    assert not experts.inner_bias_JH.any()
    assert not experts.outer_bias_JD.any()
