"""What is recovered of planted mixtures: by an observer of the true factors, and from counts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from prism_rec.data.dataset import Dataset
from prism_rec.data.sources.planted import FACTORS, Planted
from prism_rec.explain.collapse import look_for_collapse
from prism_rec.explain.deletion import delete
from prism_rec.explain.mixtures import (
    Truth,
    agreement,
    information_of_groups,
    mixtures_of_observer,
    recover,
)
from prism_rec.model.config import ModelConfig
from prism_rec.rank import Ranker

PLANTED = Planted(number_of_users=150, number_of_items=300, events_per_user=40)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.from_log(PLANTED.read())


@pytest.fixture(scope="module")
def truth(dataset: Dataset) -> Truth:
    return Truth.of(dataset)


@pytest.fixture(scope="module", params=["prism", "prism_experts", "prism_published", "sum"])
def ranker(request, dataset: Dataset) -> Ranker:
    torch.manual_seed(0)
    config = ModelConfig.parse({"width": 8, "fusion": request.param})
    return Ranker(config.build(dataset.number_of_items, dataset.features))


def own(table: dict[str, dict[str, float]]) -> list[float]:
    return [table[name][name] for name in FACTORS]


def test_an_observer_of_the_true_factors_recovers_mixtures(dataset: Dataset, truth: Truth) -> None:
    found = mixtures_of_observer(truth, dataset.histories, PLANTED.concentration)
    assert np.allclose(found.sum(1), 1)
    assert min(own(agreement(truth.mixtures_UF, found))) > 0.8


def test_agreement_is_of_ranks_and_0_for_a_constant(truth: Truth) -> None:
    true = truth.mixtures_UF
    assert own(agreement(true, true**3)) == pytest.approx([1, 1, 1, 1])
    assert own(agreement(true, -true)) == pytest.approx([-1, -1, -1, -1])
    assert own(agreement(true, np.ones_like(true))) == [0, 0, 0, 0]


@pytest.mark.slow
def test_each_group_of_users_is_told_most_by_its_own_part(dataset: Dataset, truth: Truth) -> None:
    """From counts, without a model; a group has fewer users here than in the benchmark, so small parts are noise."""
    for name, found in information_of_groups(truth, dataset.histories).items():
        parts = dict(zip(FACTORS, (found.first, found.second, found.redundancy, found.synergy), strict=True))
        assert max(parts, key=parts.__getitem__) == name


def test_shares_are_of_the_whole_score_and_weights_of_the_gate(ranker: Ranker, dataset: Dataset) -> None:
    found = recover(ranker, dataset.histories)
    fusion = ranker.model.fusion
    assert (found.shares_UF is not None) == ("synergy" in ranker.model.component_names)
    if found.shares_UF is not None:
        assert found.shares_UF.mean(0).sum() + found.of_id == pytest.approx(1)
    has_gate = getattr(fusion, "gate", None) is not None
    assert (found.weights_UF is not None) == has_gate
    if found.weights_UF is not None:
        assert np.allclose(found.weights_UF.sum(1), 1, atol=1e-5)
        assert found.weights_UF.shape == (150, 4)


def test_weights_of_the_published_form_are_in_the_order_of_users(dataset: Dataset) -> None:
    torch.manual_seed(0)
    config = ModelConfig.parse({"width": 8, "fusion": "prism_published"})
    ranker = Ranker(config.build(dataset.number_of_items, dataset.features), batch_size=7)
    whole = recover(ranker, dataset.histories).weights_UF
    some = dataset.histories.prefixes(np.array([149]), np.array([40]))
    last = recover(ranker, some).weights_UF
    assert whole is not None
    assert last is not None
    assert np.allclose(whole[149], last[0], atol=1e-5)
    assert np.ptp(whole, 0).max() > 1e-3


def test_collapse_is_seen(ranker: Ranker) -> None:
    collapse = look_for_collapse(ranker.model, None)
    assert not collapse.spread
    assert set(collapse.variation) == set(ranker.model.fusion.component_names)


def test_equal_and_constant_components_and_a_still_gate_are_named() -> None:
    random = np.random.default_rng(0)
    one, other = random.standard_normal((2, 50, 1, 6))
    constant = np.ones((50, 1, 6)) + 1e-3 * other
    parts = torch.from_numpy(np.concatenate([one, other, constant, 2 * one + 3], 1))
    model = SimpleNamespace(
        fusion=SimpleNamespace(component_names=("a", "b", "c", "d")),
        item_set=lambda: SimpleNamespace(parts=SimpleNamespace(components_IJD=parts)),
    )
    weights = np.full((20, 4), 0.25)
    assert look_for_collapse(model, weights).faults() == [
        "c is nearly the same for all items",
        "a nearly equals another component",
        "b nearly equals another component",
        "c nearly equals another component",
        "d nearly equals another component",
        "the gate gives all users nearly the same weights",
    ]
    weights[:10, 0] = 0.4
    assert "the gate" not in str(look_for_collapse(model, weights).faults())


def test_the_highest_item_lowers_the_score_at_least_as_much_as_any(dataset: Dataset) -> None:
    torch.manual_seed(0)
    config = ModelConfig.parse({"width": 8, "fusion": "sum"})
    ranker = Ranker(config.build(dataset.number_of_items, dataset.features))
    found = delete(ranker, dataset.histories, users=20)
    assert found is not None
    assert found.users == 20
    assert found.one > 0.8
    assert found.falls[0][0] > found.falls[0][1]


def test_histories_that_are_too_short_for_a_deletion_test_give_none(dataset: Dataset) -> None:
    config = ModelConfig.parse({"width": 8, "fusion": "sum"})
    ranker = Ranker(config.build(dataset.number_of_items, dataset.features))
    short = dataset.histories.prefixes(np.arange(5), np.full(5, 2))
    assert delete(ranker, short, users=20) is None
