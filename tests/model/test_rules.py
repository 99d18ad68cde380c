"""The term of sequential rules, against its definition."""

from math import sqrt

import numpy as np
import pytest
import torch

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.cross_entropy import CrossEntropy
from prism_rec.objectives.sampled import BayesianPersonalisedRanking
from prism_rec.rank import Ranker
from prism_rec.training.config import RunConfig

ITEMS = 9
HISTORIES = [[3, 7, 1, 8], [3, 7, 2], [6, 2, 3, 9, 7], [5, 3, 7], [4]]


def histories(leave_out: int | None = None) -> Histories:
    return Histories.from_lists([one for user, one in enumerate(HISTORIES) if user != leave_out])


def build(learn_from: Histories | None = None, **rules: int) -> SequenceRecommender:
    torch.manual_seed(0)
    model = ModelConfig.parse(
        {"width": 8, "max_length": 4, "rules": {"window": 2, "lags": 2, "neighbours": ITEMS, **rules}}
    ).build(ITEMS, {})
    model.begin_rules(histories() if learn_from is None else learn_from)
    return model.double()


def rule(i: int, j: int, lists: list[list[int]], window: int = 2) -> float:
    """Return the value by its definition, without the division by the numbers of events."""
    places = [(one, at) for one in lists for at, item in enumerate(one) if item == i]
    return sum(1 / d for one, at in places for d in range(1, window + 1) if one[at + d : at + d + 1] == [j])


def scale(i: int, j: int) -> float:
    events = [sum(one.count(item) for one in HISTORIES) for item in (i, j)]
    return 1 / sqrt(events[0] * events[1])


def test_rules_are_those_of_the_definition() -> None:
    model = build()
    found = np.zeros((ITEMS + 1, ITEMS + 1))
    for i in range(1, ITEMS + 1):
        np.add.at(found[i], model.rules.near_Nk[i].numpy(), model.rules.values_Nk[i].numpy())
    for i in range(1, ITEMS + 1):
        for j in range(1, ITEMS + 1):
            assert found[i, j] == pytest.approx(
                rule(i, j, HISTORIES) * scale(i, j) if i != j else 0, abs=1e-6
            )
    assert found[3, 7] == pytest.approx(3.5 / 4)
    assert not found[:, 0].any()


def test_a_recommendation_has_the_rules_of_the_latest_items() -> None:
    model, plain = build().eval(), build().eval()
    plain.rules.weights_L.data.zero_()
    asked = Histories.from_lists([[8, 3], [6], [7, 2, 3]])
    scores = []
    for made in (model, plain):
        ranker = Ranker(made)
        scores.append(ranker.scores(ranker.states(asked, np.arange(3))))
    added = (scores[0] - scores[1])[:, 1:]
    expected = [
        [
            sum(
                weight * rule(item, j, HISTORIES) * scale(item, j) * (item != j)
                for weight, item in zip((4.0, 2.4), history[::-1][:2], strict=False)
            )
            for j in range(1, ITEMS + 1)
        ]
        for history in ([8, 3], [6], [7, 2, 3])
    ]
    torch.testing.assert_close(added, torch.tensor(expected, dtype=added.dtype), rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [10, 2])
def test_in_training_a_users_own_events_do_not_count(length: int) -> None:
    """The term of each user is that of rules that were counted without this user, with the same numbers of events."""
    model = build().train()
    model.max_length = length
    batch = next(TrainingBatches(histories(), BatchPlan(length, 5, seed=0)).epoch(1))
    reading = model.read(batch.items_P, batch.lengths_B, next_P=batch.targets_P)
    every_PN = torch.arange(1, ITEMS + 1).expand(len(batch.items_P), -1)
    added_PN = model.scattered(model.encode(reading)).at(every_PN)
    place = 0
    for user, read in zip(batch.users_B.tolist(), batch.lengths_B.tolist(), strict=True):
        others = [one for number, one in enumerate(HISTORIES) if number != user]
        history = HISTORIES[user][-read - 1 :]
        for end in range(1, read + 1):
            expected = [
                sum(
                    weight * rule(item, j, others) * scale(item, j) * (item != j)
                    for weight, item in zip((4.0, 2.4), history[:end][::-1][:2], strict=False)
                )
                for j in range(1, ITEMS + 1)
            ]
            np.testing.assert_allclose(added_PN[place].detach().numpy(), expected, atol=1e-5)
            place += 1
    assert place == len(batch.items_P)


def test_only_the_strongest_rules_are_reduced_by_own_events() -> None:
    """A follower that is not among the k strongest gets nothing, in training as in use."""
    model = build(neighbours=1).train()
    assert model.rules.near_Nk[3].tolist() == [7]
    reading = model.read(torch.tensor([3]), torch.tensor([1]), next_P=torch.tensor([9]))
    added = model.scattered(model.encode(reading)).at(torch.arange(1, ITEMS + 1)[None])
    assert added[0].nonzero().flatten().tolist() == [6]  # item 7 alone; item 9 has no negative share


def test_losses_over_the_catalogue_and_over_a_few_train_it() -> None:
    batch = next(TrainingBatches(histories(), BatchPlan(4, 5, seed=0)).epoch(1))
    for objective in (CrossEntropy(), BayesianPersonalisedRanking(3)):
        model = build().train()
        objective.begin_training(model, histories())
        objective(model, batch).loss.backward()
        assert model.rules.weights_L.grad.all()


def test_contributions_name_it_and_sum_to_the_score() -> None:
    model = build().eval()
    ranker = Ranker(model)
    users = ranker.states(Histories.from_lists(HISTORIES), np.arange(5))
    rows = torch.arange(1, ITEMS + 1).expand(5, -1)
    parts = model.contributions(users, rows, ranker.items)
    assert model.component_names == ("id", "rules")
    torch.testing.assert_close(parts.sum(-1), ranker.scores(users)[:, 1:])
    assert parts[..., -1].any()


@pytest.mark.parametrize("objective", ["sampled_cross_entropy", "indirec"])
def test_objectives_that_cannot_leave_own_events_out_are_refused(objective: str) -> None:
    with pytest.raises(InputError, match=r"cannot train model.rules; use cross_entropy, or leave it out"):
        RunConfig.parse({"model": {"rules": {}}, "objective": {"kind": objective}})


def test_an_objective_that_does_not_say_what_comes_next_is_refused() -> None:
    model = build().train()
    with pytest.raises(InputError, match="this objective cannot train model.rules"):
        model.encode(model.read(torch.tensor([3]), torch.tensor([1])))
