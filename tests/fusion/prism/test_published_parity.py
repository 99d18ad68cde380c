"""The whole published form, pooling included, fuses histories as the released code did; `golden` holds both."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from prism_rec.fusion.base import no_components
from prism_rec.fusion.prism.common import component_roles
from prism_rec.fusion.prism.published import PublishedPrismConfig, PublishedPrismFusion
from prism_rec.fusion.reading import Evidence, Features, ItemSet, ModalityShape, Reading, Seen
from prism_rec.nn.packing import Packing

MODALITIES = ("image", "text")
RECORDED = ("unique_image", "unique_text", "synergy", "redundancy")  # the order of the record's gate
OURS = [name.replace(":", "_") for name in component_roles(MODALITIES)]
PLACE = [RECORDED.index(name) for name in OURS]


@pytest.fixture(scope="module")
def recorded(golden) -> dict[str, Tensor]:
    names = [name for name in golden if name.startswith("prism.")]
    return {name.removeprefix("prism."): torch.from_numpy(np.asarray(golden[name])) for name in names}


@torch.no_grad()
def recorded_fusion(recorded: dict[str, Tensor]) -> PublishedPrismFusion:
    """Return the form with the recorded weights; the recorded vectors are in the common space already."""
    width, hidden = recorded["image"].shape[1], len(recorded["expert.synergy.in.bias"])
    config = PublishedPrismConfig(hidden=hidden, temperature=0.7)
    fusion = config.build(dict.fromkeys(MODALITIES, ModalityShape(width)), width).double().eval()
    for projection in fusion.projections.maps:
        nn.init.eye_(projection.weight)
        nn.init.zeros_(projection.bias)
    experts = fusion.experts
    for j, name in enumerate(OURS):
        inner = torch.stack(recorded[f"expert.{name}.in.weight"].split(width, 1))
        experts.inner_weight_MJDH[:, j] = inner.transpose(1, 2)
        experts.inner_bias_JH[j] = recorded[f"expert.{name}.in.bias"]
        experts.outer_weight_JHD[j] = recorded[f"expert.{name}.out.weight"].T
        experts.outer_bias_JD[j] = recorded[f"expert.{name}.out.bias"]
    *parts, id_part = recorded["gate.0.weight"].split(width, 1)
    fusion.gate.inner.weight.copy_(torch.cat([parts[place] for place in PLACE] + [id_part], 1))
    fusion.gate.inner.bias.copy_(recorded["gate.0.bias"])
    fusion.gate.outer.weight.copy_(recorded["gate.1.weight"][PLACE])
    fusion.gate.outer.bias.copy_(recorded["gate.1.bias"][PLACE])
    return fusion


def recorded_reading(recorded: dict[str, Tensor], shifts_L: Tensor) -> Reading:
    """Return histories with the recorded ids, whose pictures and texts average to the recorded ones."""
    users, length, width = recorded["id_sequence"].shape
    # Row 0 is padding; its values must not count.
    vectors = [
        torch.cat([torch.ones(1, width), (recorded[name][:, None] + shifts_L[:, None]).flatten(0, 1)])
        for name in MODALITIES
    ]
    ids_ID = torch.cat([torch.zeros(1, width), recorded["id_sequence"].flatten(0, 1)])
    present_IM = (torch.arange(len(ids_ID)) > 0)[:, None].expand(-1, len(MODALITIES))
    every_I = torch.arange(len(ids_ID))
    items = ItemSet(
        rows_I=every_I,
        place_N=every_I,
        features=Features(tuple(vectors), present_IM, ()),
        ids_IV=ids_ID,
        parts=no_components(ids_ID[:, None][:, :0]),
        seen=Seen(every_I[1:], no_components(ids_ID[1:, None][:, :0])),
        evidence=Evidence(ids_ID[:, :0], every_I),
    )
    return Reading(items, every_I[1:], Packing(torch.full((users,), length)))


def test_the_fused_vector_is_the_recorded_one_at_every_position(recorded):
    length = recorded["id_sequence"].shape[1]
    shifts_L = torch.linspace(-1, 1, length, dtype=torch.float64)  # their mean is 0
    fused_PD = recorded_fusion(recorded)(recorded_reading(recorded, shifts_L)).vectors_PD
    expected = recorded["fused"].repeat_interleave(length, 0)
    torch.testing.assert_close(fused_PD, expected, rtol=0, atol=1e-10)
