"""Explanations: parts that add up to the score, effects as differences of scores, a sentence that claims no more."""

from typing import Any

import numpy as np
import pytest
import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.data.histories import Histories
from prism_rec.explain.explanation import Explanation, PastItem, explain, say
from prism_rec.fusion.baselines import SumFusionConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model.config import BackboneConfig, FusionConfig
from prism_rec.rank import Ranker
from prism_rec.testing.checks import ITEMS, build_model, registered
from prism_rec.testing.planted import hide, plant_features

HISTORY = np.array([5, 3, 7, 3, 10, 2])
BACKBONES = sorted(registered(BackboneConfig), key=lambda kind: kind.__name__)
FUSIONS = sorted(registered(FusionConfig), key=lambda kind: kind.__name__)


def name(row: int) -> tuple[str, str | None]:
    return f"i{row}", f"Title {row}" if row % 2 else None


def ranker_of(fusion: Any = None, backbone: Any = None, **changes: Any) -> Ranker:
    model = build_model(
        fusion or ExpertPrismConfig(), backbone or SASRecConfig(), dtype=torch.float32, **changes
    )
    return Ranker(model)


def score(ranker: Ranker, history: Any, item: int) -> float:
    histories = Histories.from_lists([list(history)])
    return float(ranker.scores(ranker.states(histories, np.arange(1)))[0, item])


def explained(ranker: Ranker, history: np.ndarray, item: int) -> Explanation:
    return explain(ranker, history, item, name, {})


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("fusion", FUSIONS, ids=lambda kind: kind.__name__)
def test_parts_add_up_to_the_score_by_which_items_are_ranked(fusion: Any, backbone: Any) -> None:
    ranker = ranker_of(fusion(), backbone())
    for item in (1, 4, 6, 12):  # with all modalities, with none, and with some
        found = explained(ranker, HISTORY, item)
        ranked = score(ranker, HISTORY, item)
        assert abs(sum(found.contributions.values()) - ranked) <= 1e-5 * max(1, abs(ranked))
        assert tuple(found.contributions) == ranker.model.component_names
        assert found.score == pytest.approx(sum(found.contributions.values()), abs=1e-9)


def test_an_effect_is_the_score_minus_the_score_without_the_item() -> None:
    ranker = ranker_of()
    found = explained(ranker, HISTORY, 6)
    assert [past.item_id for past in found.history] == ["i5", "i3", "i7", "i10", "i2"]
    for past in found.history:
        without = [row for row in HISTORY if f"i{row}" != past.item_id]
        assert past.effect == pytest.approx(score(ranker, HISTORY, 6) - score(ranker, without, 6), abs=1e-5)
    best = max(found.history, key=lambda past: past.effect or 0)
    assert found.because == (best.item_id if best.effect and best.effect > 0 else None)


def test_items_that_the_model_does_not_read_have_no_effect_and_one_item_has_none() -> None:
    ranker = ranker_of(max_length=3)
    effects = {past.item_id: past.effect for past in explained(ranker, HISTORY, 6).history}
    assert effects["i5"] == effects["i7"] == 0
    assert effects["i10"] == pytest.approx(
        score(ranker, HISTORY, 6) - score(ranker, [5, 3, 7, 3, 2], 6), abs=1e-5
    )
    assert effects["i3"] not in (0, None)
    (past,) = explained(ranker, np.array([5, 5]), 6).history
    assert past.effect is None


@pytest.mark.parametrize("fusion", [ExpertPrismConfig(), SumFusionConfig()])
def test_hiding_a_modality_is_scoring_with_a_model_whose_items_lack_it(fusion: Any) -> None:
    ranker = ranker_of(fusion)
    found = explained(ranker, HISTORY, 6)
    assert set(found.modalities) == set(ranker.model.items.modalities)
    for modality, effect in found.modalities.items():
        other = ranker_of(fusion, features=hide(plant_features(ITEMS), modality))
        other.model.load_state_dict(ranker.model.state_dict())
        without = score(Ranker(other.model), HISTORY, 6)
        assert effect == pytest.approx(score(ranker, HISTORY, 6) - without, abs=1e-5)
        assert effect != 0


def made_up(**changes: Any) -> Explanation:
    past = (PastItem(item_id="a", title="Alien", effect=0.5), PastItem(item_id="b", title=None, effect=-1.0))
    values: dict[str, Any] = {
        "item_id": "x",
        "title": "Aliens",
        "score": 2.0,
        "contributions": {"id": 0.5, "synergy": 1.5},
        "history": past,
        "because": "a",
        "modalities": {"image": -0.25, "text": 0.25},
        "weights": {},
        "average_weights": {},
        "sentence": "",
    }
    return Explanation(**values | changes)


def test_the_sentence_names_what_raises_the_score_most() -> None:
    assert say(made_up()) == (
        "Aliens has the score 2.00: its largest part is synergy (1.50), it would be 0.50 lower without Alien in the "
        "history, and it would be 0.25 lower without any text."
    )
    assert say(made_up(title=None, because=None, modalities={"text": 0.25}, contributions={"id": 2.0})) == (
        "x has the score 2.00: it would be 0.25 lower without any text."
    )


def test_the_id_of_a_new_item_is_no_reason() -> None:
    new = made_up(contributions={"id": 1.75, "text": 0.25}, own_id=False, because=None)
    assert say(new) == (
        "Aliens has the score 2.00: its largest part besides the usual id (1.75) of new items is text (0.25), and it "
        "would be 0.25 lower without any text."
    )


def test_the_sentence_names_nothing_that_does_not_raise_the_score() -> None:
    down = made_up(
        score=-3.0, contributions={"id": -2.0, "text": -1.0}, because=None, modalities={"text": 0.0}
    )
    assert say(down) == "Aliens has the score -3.00: no part, past item or modality raises it."
