"""If the same query meets ids and components, a key is their sum; explanations still have the parts."""

import pytest
import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.testing.checks import HISTORIES, WIDTH, build_model, rank_all, read, score_all

SASREC, STOSA = SASRecConfig(layers=1), StosaConfig(layers=1)


@pytest.mark.parametrize(
    "fusion", [SumFusionConfig(), ConcatFusionConfig(), ExpertPrismConfig(adaptive=False)]
)
def test_a_key_is_the_sum_of_id_and_components(fusion: object) -> None:
    model = build_model(fusion, SASREC)
    reading = read(model, HISTORIES)
    users, items = model.encode(reading), reading.items
    (group,) = model.keys(items)
    assert group.keys_IK.shape[1] == WIDTH
    torch.testing.assert_close(group.keys_IK, (items.ids_IV + items.parts.components_IJD.sum(1))[1:])
    summed = rank_all(model, users, items), score_all(model, users, items)
    model.summed = False
    apart = rank_all(model, users, items), score_all(model, users, items)
    assert model.keys(items)[0].keys_IK.shape[1] == 2 * WIDTH
    for one, other in zip(summed, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_a_distance_personal_weights_and_ids_only_have_no_summed_keys() -> None:
    assert not build_model(SumFusionConfig(), STOSA).summed
    assert not build_model(GateFusionConfig(), SASREC).summed
    assert not build_model(SumFusionConfig(), SASREC, candidates="id").summed
