"""Plug-ins are treated by what their settings declare, not by their kind."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import pytest
import torch

from prism_rec.backbones import Backbone, BackboneSettings, StosaConfig
from prism_rec.batches import BatchPlan
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.fusion import Fusion, FusionSettings
from prism_rec.fusion.baselines import IdFusion, SumFusion
from prism_rec.fusion.reading import ModalityShape
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.stosa import StosaObjective
from prism_rec.testing import plant_features
from prism_rec.training.config import RunConfig


class NearestConfig(BackboneSettings):
    """Another backbone that scores by a distance."""

    scores: ClassVar[Literal["product", "distance"]] = "distance"
    kind: Literal["nearest"] = "nearest"

    def build(self, width: int, max_length: int) -> Backbone:
        return StosaConfig(heads=2).build(width, max_length)


class PlainFusionConfig(FusionSettings):
    """Another fusion that reads no features."""

    uses_features: ClassVar[bool] = False
    kind: Literal["plain"] = "plain"

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> Fusion:
        assert not modalities
        return IdFusion(modalities, width)


class TotalFusionConfig(FusionSettings):
    """Another fusion that reads features; the base's declaration holds."""

    kind: Literal["total"] = "total"

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> Fusion:
        return SumFusion(modalities, width)


def model_with(**parts: object) -> ModelConfig:
    return ModelConfig(width=8, max_length=4).model_copy(update=parts)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ({"kind": "bce"}, "those of backbone nearest, negative distances, are never above zero"),
        ({"kind": "gbce"}, "those of backbone nearest"),
        ({"kind": "cross_entropy", "precision": "bfloat16"}, "distances of backbone nearest need"),
        ({"kind": "indirec", "precision": "bfloat16"}, "distances of backbone nearest need"),
    ],
)
def test_what_distances_cannot_do_is_refused(objective: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunConfig.parse({"model": model_with(backbone=NearestConfig()), "objective": objective})


@pytest.mark.parametrize("kind", ["stosa", "bpr", "cross_entropy", "sampled_cross_entropy", "indirec"])
def test_what_distances_can_do_is_taken(kind: str) -> None:
    RunConfig.parse({"model": model_with(backbone=NearestConfig()), "objective": {"kind": kind}})


def test_the_objective_of_stosa_trains_any_backbone_with_a_distance() -> None:
    model = model_with(backbone=NearestConfig()).build(9, {})
    objective = StosaObjective(2, 1.0)
    histories = Histories.from_lists([[1, 2, 3], [4, 5]])
    objective.begin_training(model, histories)
    batch = next(objective.batches(histories, BatchPlan(4, 2, seed=0)).epoch(1))
    assert objective(model, batch).loss.isfinite()


@pytest.mark.parametrize("control", ["shuffled", "random"])
def test_a_control_of_features_that_are_not_read_is_refused(control: str) -> None:
    with pytest.raises(InputError, match=f"features: {control} changes nothing with the fusion plain"):
        RunConfig.parse({"features": control, "model": model_with(fusion=PlainFusionConfig())})
    RunConfig.parse({"features": control, "model": model_with(fusion=TotalFusionConfig())})


def test_a_fusion_gets_features_if_it_declares_to_use_them() -> None:
    torch.manual_seed(0)
    features = plant_features(9)
    assert model_with(fusion=PlainFusionConfig()).build(9, features).items.modalities == {}
    assert model_with(fusion=TotalFusionConfig()).build(9, features).items.modalities == {
        "image": ModalityShape(6),
        "text": ModalityShape(5),
    }
    model_with(fusion=PlainFusionConfig()).build(9, {})
    with pytest.raises(InputError, match="fusion total needs features"):
        model_with(fusion=TotalFusionConfig()).build(9, {})
