"""Scores as cosines and divided by a temperature: the same in every place that scores, and sums of their terms."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from exporting.test_export import check_exports
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.errors import SettingsError
from prism_rec.fusion.baselines import SumFusionConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.testing.checks import HISTORIES, ITEMS, build_model, plant_features, rank_all, read, score_all

SASREC = SASRecConfig(layers=1)


def scored(model: SequenceRecommender) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the states and the scores of all items, the same by three ways."""
    reading = read(model, HISTORIES)
    users, items = model.encode(reading), reading.items
    rows_PN = torch.arange(1, ITEMS + 1).expand(len(users.states), -1)
    scores_PN = score_all(model, users, items)
    for other in (rank_all(model, users, items), model.contributions(users, rows_PN, items).sum(-1)):
        torch.testing.assert_close(other, scores_PN, rtol=0, atol=1e-10)
    return users.states, scores_PN


@pytest.mark.parametrize("candidates", ["id", "content"])
def test_a_cosine_is_that_of_the_state_and_the_whole_item(candidates: str) -> None:
    model = build_model(SumFusionConfig(), SASREC, candidates=candidates)
    model.cosine, model.temperature = True, 0.1
    states, scores = scored(model)
    items = model.item_set()
    whole = items.ids_IV + (items.parts.components_IJD.sum(1) if candidates == "content" else 0)
    expected = F.cosine_similarity(states[:, None], whole[None, 1:], dim=-1) / 0.1
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-9)


def test_the_constant_term_of_an_unknown_id_is_no_part_of_the_length() -> None:
    model = build_model(SumFusionConfig(), SASREC)
    model.cosine = True
    model.items.known_N[:] = False
    _, before = scored(model)
    model.items.unknown_id.fill_(0.25)
    _, after = scored(model)
    expected = before + 0.25 * model.items.content_N[1:]
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("backbone", [SASREC, StosaConfig(layers=1)])
def test_a_temperature_divides_every_score(backbone: object) -> None:
    model = build_model(ExpertPrismConfig(hidden=4), backbone)
    _, before = scored(model)
    model.temperature = 0.5
    torch.testing.assert_close(scored(model)[1], 2 * before, rtol=1e-10, atol=1e-10)


def test_an_item_of_length_0_has_the_score_0_and_finite_gradients() -> None:
    model = build_model(SumFusionConfig(), SASREC, candidates="id").train()
    model.cosine = True
    with torch.no_grad():
        model.items.ids.weight[3] = 0
    _, scores = scored(model)
    assert not scores[:, 2].any()
    scores.sin().sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"backbone": {"kind": "stosa"}},
            "needs a backbone that ranks by inner products, and stosa does not",
        ),
        ({"fusion": {"kind": "prism_experts"}}, "and fusion prism_experts has personal weights; use product"),
    ],
    ids=["distance", "personal"],
)
def test_what_has_no_cosine_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ModelConfig.parse({"width": 8, "scores": "cosine", **settings}).build(ITEMS, plant_features(ITEMS))


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["id", "sum"])
def test_an_exported_model_has_the_same_scores(tmp_path: Path, fusion: str) -> None:
    settings = {"fusion": {"kind": fusion}, "scores": "cosine", "temperature": 0.1, "max_length": 8}
    check_exports(tmp_path, "torch", {"cosine": settings}, set())
