"""PRISM nested over the sum begins as the sum, and its losses leave the linear parts as they are."""

import torch

from prism_rec.fusion.prism.losses import Lambdas
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.testing import plant_features

ITEMS_P, LENGTHS_B = torch.tensor([1, 2, 3, 5]), torch.tensor([3, 1])


def build(kind: str, **settings: object) -> SequenceRecommender:
    torch.manual_seed(0)
    model = {"width": 8, "max_length": 5, "fusion": {"kind": kind, **settings}}
    return ModelConfig.parse(model).build(9, plant_features(9)).eval()


def test_it_begins_as_the_sum() -> None:
    nested, plain = build("prism_nested"), build("sum")
    nested.load_state_dict(
        nested.state_dict() | {k: v for k, v in plain.state_dict().items() if "fusion" not in k}
    )
    nested.fusion.projections.load_state_dict(plain.fusion.projections.state_dict())
    scores = []
    for model in (nested, plain):
        reading = model.read(ITEMS_P, LENGTHS_B)
        scores.append(model.score(model.encode(reading), torch.arange(1, 10).expand(4, -1), reading.items))
    torch.testing.assert_close(*scores)


def test_losses_shape_the_experts_only() -> None:
    model = build("prism_nested", lambdas=Lambdas().model_dump())
    model.interaction_loss(model.read(ITEMS_P, LENGTHS_B)).backward()
    assert all(p.grad.any() for p in [model.fusion.experts.inner_weight_MJDH])
    assert all(p.grad is None for p in model.fusion.projections.parameters())


def test_the_penalty_draws_weights_to_one() -> None:
    model = build("prism_nested", penalty=0.5, lambdas={"unique": 0, "redundancy": 0, "synergy": 0})
    reading = model.read(ITEMS_P, LENGTHS_B)
    assert model.interaction_loss(reading) == 0
    with torch.no_grad():
        model.fusion.gate.outer_bias_J.fill_(1.0)
    weight = 2 * torch.tensor(1.0).sigmoid()
    torch.testing.assert_close(model.interaction_loss(reading), 0.5 * (weight - 1).square())
