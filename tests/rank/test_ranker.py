import numpy as np
import pytest
import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.fusion.baselines import IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.rank import NEVER, Ranker, Seen
from prism_rec.testing.checks import ITEMS, build_model, read, score_all

FUSIONS = [IdFusionConfig(), SumFusionConfig(), PrismConfig(hidden=4), PublishedPrismConfig(hidden=4)]
BACKBONES = [SASRecConfig(layers=1), StosaConfig(heads=2)]
HISTORIES = Histories.from_lists([[1, 2, 3], [4], [5, 6, 5, 7, 8, 9, 10, 11, 12, 1], [3, 3, 2], [12, 11]])
TARGETS = np.array([4, 12, 2, 3, 5])  # the fourth has seen its target already
LENGTH = 4


def expected_order(model: SequenceRecommender, history: list[int], seen: Seen) -> list[int]:
    """Return the items to be recommended, best first, from scores taken one by one."""
    items = model.item_set()
    users = model.encode_last(read(model, [history[-LENGTH:]], items))
    scores = score_all(model, users, items)[0].tolist()
    left = [item for item in range(1, ITEMS + 1) if seen == "keep" or item not in history]
    return sorted(left, key=lambda item: (-scores[item - 1], item))


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda config: config.kind)
@pytest.mark.parametrize("fusion", FUSIONS, ids=lambda config: config.kind)
@pytest.mark.parametrize(("batch_size", "seen"), [(2, "remove"), (256, "remove"), (2, "keep")])
def test_it_ranks_as_scores_one_by_one_do(fusion, backbone, batch_size, seen):
    """Of a removed history, the items that the encoder no longer sees go too, and so does the target."""
    model = build_model(fusion, backbone, max_length=LENGTH, dtype=torch.float32)
    ranks, top = Ranker(model, batch_size, seen).rank(HISTORIES, TARGETS, k=ITEMS)
    for question, target in enumerate(TARGETS.tolist()):
        order = expected_order(model, HISTORIES[question].tolist(), seen)
        assert ranks[question] == (order.index(target) + 1 if target in order else NEVER)
        assert top[question].tolist() == order + [0] * (ITEMS - len(order))


@pytest.fixture
def model() -> SequenceRecommender:
    return build_model(PrismConfig(hidden=4), SASRecConfig(layers=1), max_length=LENGTH, dtype=torch.float32)


def test_items_come_in_several_patterns_of_presence(model):
    assert len(Ranker(model).groups) == 4


def test_given_candidates_are_ranked_apart_from_the_others(model):
    candidates = np.array([2, 3, 4, 9])
    ranks, top = Ranker(model).rank(HISTORIES, TARGETS, 5, candidates)
    for question, target in enumerate(TARGETS.tolist()):
        order = [
            item
            for item in expected_order(model, HISTORIES[question].tolist(), "remove")
            if item in candidates
        ]
        assert ranks[question] == (order.index(target) + 1 if target in order else NEVER)
        assert top[question].tolist() == order + [0] * (5 - len(order))


@torch.inference_mode()
def test_padding_is_no_candidate(model):
    ranker = Ranker(model)
    scores = ranker.scores(ranker.states(HISTORIES, np.arange(len(HISTORIES))))
    assert (scores[:, 0] == -torch.inf).all()
    assert scores[:, 1:].isfinite().all()


def test_more_are_asked_for_than_there_are(model):
    ranks, top = Ranker(model).rank(HISTORIES, TARGETS, k=ITEMS + 5)
    assert top.shape == (len(HISTORIES), ITEMS + 5)
    assert (top[:, ITEMS:] == 0).all()


def test_a_user_who_has_seen_everything_gets_nothing(model):
    everything = Histories.from_lists([list(range(1, ITEMS + 1))])
    ranks, top = Ranker(model).rank(everything, np.array([7]), k=3)
    assert ranks.tolist() == [NEVER]
    assert top.tolist() == [[0, 0, 0]]


@torch.inference_mode()
def test_candidates_can_be_given(model):
    ranker = Ranker(model)
    scores = ranker.scores(ranker.states(HISTORIES, np.arange(2)))
    expected = scores.clone()
    ranker.keep_only(scores, np.array([3, 9]))
    assert torch.equal(scores[:, [3, 9]], expected[:, [3, 9]])
    assert (scores != -torch.inf).sum() == 4


def test_without_questions_there_are_no_answers(model):
    ranks, top = Ranker(model).rank(Histories.from_lists([]), np.zeros(0, np.int64), k=3)
    assert ranks.shape == (0,)
    assert top.shape == (0, 3)


def test_ranking_leaves_dropout_out_and_is_deterministic(model):
    model.train()
    one = Ranker(model).rank(HISTORIES, TARGETS, k=5)
    assert not model.training
    other = Ranker(model.train()).rank(HISTORIES, TARGETS, k=5)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_it_ranks_in_float64_too(model):
    exact = Ranker(build_model(PrismConfig(hidden=4), SASRecConfig(layers=1), max_length=LENGTH)).rank(
        HISTORIES, TARGETS
    )
    assert np.array_equal(exact.ranks, Ranker(model).rank(HISTORIES, TARGETS).ranks)


def test_equal_items_have_equal_scores_in_any_catalogue() -> None:
    """The last columns of a matrix product may differ from the others in the last bit."""
    torch.manual_seed(0)
    for number in range(30, 50):
        vectors = np.zeros((number + 1, 5), np.float32)
        vectors[1:] = np.random.default_rng(number).standard_normal((number, 5))
        equal = np.arange(1, number + 1, 3)
        vectors[equal] = vectors[1]
        features = {"text": FeatureTable(vectors, np.arange(number + 1) > 0)}
        model = ModelConfig.parse({"width": 24, "fusion": {"kind": "sum"}}).build(number, features)
        with torch.no_grad():
            model.items.ids.weight[equal] = 0
        ranker = Ranker(model)
        scores = ranker.scores(ranker.states(HISTORIES, np.arange(len(HISTORIES))))
        assert (scores[:, equal] == scores[:, [1]]).all()
        _, top = ranker.rank(HISTORIES, TARGETS, k=number)
        for row in top:
            places = [item for item in row.tolist() if item in equal]
            assert places == sorted(places), "ties are decided by the order of the catalogue"


def test_scores_are_made_in_parts_that_fit_the_cache(model: SequenceRecommender, monkeypatch) -> None:
    whole = Ranker(model).rank(HISTORIES, TARGETS, k=5)
    many = Histories.from_lists([HISTORIES[i].tolist() for i in range(len(HISTORIES))] * 9)
    monkeypatch.setattr("prism_rec.rank.ranker.HELD_CPU", 1)
    ranker = Ranker(model, batch_size=20)
    sizes = [len(questions) for questions, _, _ in ranker.scored(many)]
    assert sizes == [16, 4, 16, 4, 5]
    parts = ranker.rank(many, np.tile(TARGETS, 9), k=5)
    assert np.array_equal(parts.ranks, np.tile(whole.ranks, 9))
    assert np.array_equal(parts.top, np.tile(whole.top, (9, 1)))


def test_nothing_is_remembered_for_a_gradient(model):
    ranker = Ranker(model)
    users = ranker.states(HISTORIES, np.arange(len(HISTORIES)))
    kept = (users.states, users.weights, ranker.items.ids_IV)
    assert not any(tensor.requires_grad for tensor in kept)
    assert not ranker.scores(users._replace(states=users.states.requires_grad_())).requires_grad
