"""Items without an id that counts compete with the items that are recommended."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.test_known_ids import build
from prism_rec.data.histories import Histories
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.rank import Ranker
from prism_rec.rank.unknown_ids import usual_id_term
from prism_rec.serve.tables import map_tables, save_tables
from prism_rec.testing import plant_features

HISTORIES = Histories.from_lists([[1, 2], [3], [2, 1, 5]])
UNKNOWN = [5, 6, 7, 9]


def rank_with(model: SequenceRecommender, term: float) -> np.ndarray:
    model.items.unknown_id.fill_(term)
    return Ranker(model, 2, "keep").rank(HISTORIES, np.array([5, 6, 9])).ranks


def test_the_usual_term_is_the_mean_over_the_best_items() -> None:
    model = build()
    found = usual_id_term(model, HISTORIES)
    ranker, terms = Ranker(model), []
    for row, history in enumerate(([1, 2], [3], [2, 1, 5])):
        users = ranker.states(HISTORIES, np.array([row]))
        unseen = torch.tensor(
            [[item for item in range(1, 10) if item not in history]]
        )  # fewer than 10: all are best
        terms += model.contributions(users, unseen, ranker.items)[0, :, 0].tolist()
    assert found == pytest.approx(np.mean(terms), abs=1e-6)
    assert found != 0


def test_it_does_not_depend_on_the_term_so_far_and_is_zero_if_every_id_counts() -> None:
    model = build()
    before = usual_id_term(model, HISTORIES)
    model.items.unknown_id.fill_(9.0)
    assert usual_id_term(model, HISTORIES) == before
    for other in (build("id"), build(id_events=0), build(candidates="id")):
        assert usual_id_term(other, HISTORIES) == 0
    assert usual_id_term(model, Histories.from_lists([])) == 0


@pytest.mark.parametrize("kind", ["sum", "gate"])
def test_the_term_is_added_to_unknown_ids_only_everywhere(kind: str) -> None:
    model = build(kind)
    ranker = Ranker(model, seen="keep")
    users = ranker.states(HISTORIES, np.arange(3))
    without = ranker.scores(users).clone()
    model.items.unknown_id.fill_(2.0)
    ranker = Ranker(model, seen="keep")
    with_term = ranker.scores(users)
    added = torch.zeros(10)
    added[UNKNOWN] = 2.0
    torch.testing.assert_close((with_term - without)[:, 1:], added[1:].expand(3, -1), atol=1e-5, rtol=0)
    rows = torch.arange(1, 10).expand(3, -1)
    parts = model.contributions(users, rows, ranker.items)
    torch.testing.assert_close(parts.sum(-1), with_term[:, 1:])
    assert parts[:, [row - 1 for row in UNKNOWN], 0].eq(2).all()


def test_a_larger_term_brings_unknown_items_forward() -> None:
    model = build()
    assert (rank_with(model, 5.0) < rank_with(model, -5.0)).all()


def test_training_does_not_see_the_term() -> None:
    model = ModelConfig.parse({"width": 8, "fusion": {"kind": "sum"}}).build(9, plant_features(9))
    assert model.id_key(torch.ones(9, 8), torch.arange(1, 10)).shape == (9, 8)


def test_served_tables_have_the_same_scores_for_histories_with_unknown_items(tmp_path: Path) -> None:
    model = build("prism")
    model.items.unknown_id.fill_(1.5)
    ranker = Ranker(model, seen="keep")
    save_tables(ranker, tmp_path)
    served = Ranker(model, seen="keep", tables=map_tables([model], tmp_path)[0])
    users, again = ranker.states(HISTORIES, np.arange(3)), served.states(HISTORIES, np.arange(3))
    torch.testing.assert_close(again.states, users.states)
    torch.testing.assert_close(served.scores(again), ranker.scores(users).clone())
    rows = torch.tensor([[5, 6]]).expand(3, -1)
    torch.testing.assert_close(
        model.contributions(again, rows, served.items), model.contributions(users, rows, ranker.items)
    )
