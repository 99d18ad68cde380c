"""What each objective's number is, against its formula."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.batches import Batch, BatchPlan, TrainingBatches
from prism_rec.data.histories import Histories
from prism_rec.fusion.baselines import SumFusionConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.model.similar import SimilarItems
from prism_rec.objectives.base import Objective
from prism_rec.objectives.cross_entropy import CrossEntropy, SampledCrossEntropy
from prism_rec.objectives.sampled import (
    BayesianPersonalisedRanking,
    BinaryCrossEntropy,
    GeneralisedBinaryCrossEntropy,
    SampledObjective,
)
from prism_rec.testing.checks import HISTORIES, ITEMS, build_model, plant_features, score_all

TRAINING = Histories.from_lists([history for history in HISTORIES if len(history) > 1])
TARGETS = torch.tensor([[0.5], [-2.0], [3.0]])
NEGATIVES = torch.tensor([[0.1, -1.0], [2.0, 0.0], [-4.0, 5.0]])


@pytest.fixture(scope="module")
def model() -> SequenceRecommender:
    return build_model(ExpertPrismConfig(hidden=4), SASRecConfig(layers=1))


def prepared(objective: Objective, model: SequenceRecommender) -> Objective:
    objective.begin_training(model, TRAINING)
    return objective


def whole_batch() -> Batch:
    return next(TrainingBatches(TRAINING, BatchPlan(8, len(TRAINING), seed=0)).epoch(1))


def all_scores(model: SequenceRecommender, batch: Batch) -> torch.Tensor:
    reading = model.read(batch.items_P, batch.lengths_B)
    return score_all(model, model.encode(reading), reading.items)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_cross_entropy_is_that_of_all_scores(model):
    batch = whole_batch()
    expected = F.cross_entropy(all_scores(model, batch), batch.targets_P - 1)
    loss = prepared(CrossEntropy(), model)(model, batch).loss
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "fusion", [ExpertPrismConfig(hidden=4), SumFusionConfig()], ids=lambda config: config.kind
)
@pytest.mark.parametrize("with_similar", [False, True])
def test_cross_entropy_over_trained_items_leaves_the_others_out(fusion, with_similar):
    model = build_model(fusion, SASRecConfig(layers=1))
    if with_similar:
        model.similar = SimilarItems(plant_features(ITEMS), neighbours=4, lags=2).double()
    batch = whole_batch()
    trained = torch.from_numpy(TRAINING.counts(ITEMS)[1:] > 0)
    assert 0 < trained.sum() < ITEMS
    scores_PN = all_scores(model, batch).masked_fill(~trained, -torch.inf)
    loss = prepared(CrossEntropy(over="trained"), model)(model, batch).loss
    torch.testing.assert_close(loss, F.cross_entropy(scores_PN, batch.targets_P - 1), rtol=0, atol=1e-10)
    loss.backward()
    assert not model.items.ids.weight.grad[1:][~trained].any()


@pytest.mark.parametrize("proposal", ["uniform", "popularity"])
def test_the_sampled_softmax_comes_to_the_full_one_as_negatives_grow(model, proposal):
    batch = whole_batch()
    full = CrossEntropy()(model, batch).loss.item()
    errors = []
    for negatives in (100, 100_000):
        objective = prepared(SampledCrossEntropy(negatives, proposal), model)
        torch.manual_seed(0)
        errors.append(abs(objective(model, batch).loss.item() - full))
    assert errors[1] < 0.02
    assert errors[1] < errors[0]


def one_position(batch: Batch) -> Batch:
    return Batch(batch.users_B[:1], batch.items_P[:1], torch.tensor([1]), batch.targets_P[:1])


def test_popularity_counts_training_events_and_one_for_every_item(model):
    objective = prepared(SampledCrossEntropy(5, "popularity"), model)
    events = np.bincount(TRAINING.items, minlength=ITEMS + 1)[1:] + 1
    np.testing.assert_allclose(objective.probability_N.numpy(), events / events.sum(), rtol=1e-6)


def test_a_drawn_target_does_not_count_as_negative(model):
    """With the target for the only item that is drawn, nothing is left to lose against."""
    batch = one_position(whole_batch())
    objective = prepared(SampledCrossEntropy(7, "uniform"), model)
    objective.probability_N = torch.zeros(ITEMS)
    objective.probability_N[batch.targets_P - 1] = 1
    assert objective(model, batch).loss == 0


def test_binary_cross_entropy():
    terms = [
        -math.log(sigmoid(t)) - np.mean([math.log(sigmoid(-n)) for n in row])
        for t, row in zip(TARGETS[:, 0].tolist(), NEGATIVES.tolist(), strict=True)
    ]
    assert BinaryCrossEntropy(2).loss(TARGETS, NEGATIVES).item() == pytest.approx(np.mean(terms), rel=1e-6)


def test_personalised_ranking():
    terms = [
        -math.log(sigmoid(t - n))
        for t, row in zip(TARGETS[:, 0].tolist(), NEGATIVES.tolist(), strict=True)
        for n in row
    ]
    assert BayesianPersonalisedRanking(2).loss(TARGETS, NEGATIVES).item() == pytest.approx(
        np.mean(terms), rel=1e-6
    )


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_generalised_binary_cross_entropy(model, calibration):
    """The target's probability to the power of beta: 1 without calibration, the sampling rate with all of it."""
    objective = prepared(GeneralisedBinaryCrossEntropy(2, calibration), model)
    alpha = 2 / (ITEMS - 1)
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    assert objective.beta == pytest.approx({0.0: 1.0, 0.75: beta, 1.0: alpha}[calibration])
    terms = [
        -(math.log(sigmoid(t) ** beta) + sum(math.log(1 - sigmoid(n)) for n in row)) / 3
        for t, row in zip(TARGETS[:, 0].tolist(), NEGATIVES.tolist(), strict=True)
    ]
    assert objective.loss(TARGETS, NEGATIVES).item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_without_calibration_and_with_one_negative_it_is_half_of_binary_cross_entropy(model):
    generalised = prepared(GeneralisedBinaryCrossEntropy(1, 0.0), model)
    one = NEGATIVES[:, :1]
    torch.testing.assert_close(2 * generalised.loss(TARGETS, one), BinaryCrossEntropy(1).loss(TARGETS, one))


@pytest.mark.parametrize("made", [BinaryCrossEntropy(3), BayesianPersonalisedRanking(3)], ids=["bce", "bpr"])
def test_each_position_is_scored_against_its_own_candidates(model, made: SampledObjective):
    batch = whole_batch()
    prepared(made, model)
    torch.manual_seed(0)
    loss = made(model, batch).loss
    torch.manual_seed(0)
    candidates = made.candidates(batch)
    assert torch.equal(candidates[:, 0], batch.targets_P)
    scores = all_scores(model, batch).gather(1, candidates - 1)
    torch.testing.assert_close(loss, made.loss(scores[:, :1], scores[:, 1:]), rtol=0, atol=1e-10)
