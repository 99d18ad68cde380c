import pytest

from prism_rec.backbones.stosa import StosaConfig
from prism_rec.objectives.base import Objective
from prism_rec.objectives.config import ObjectiveConfig
from prism_rec.objectives.cross_entropy import CrossEntropyConfig, SampledCrossEntropyConfig
from prism_rec.objectives.sampled import (
    BayesianPersonalisedRankingConfig,
    BinaryCrossEntropyConfig,
    GeneralisedBinaryCrossEntropyConfig,
)
from prism_rec.objectives.stosa import StosaObjectiveConfig
from prism_rec.testing import ObjectiveContract
from prism_rec.testing.checks import ITEMS, covered, registered


class DrawsForEachPosition(ObjectiveContract):
    """The draws follow one another, position by position: in another order users get others."""

    def steady(self, objective: Objective) -> None:
        def draw(users_P, count):
            return (users_P[:, None] * 5 + 3) % ITEMS + users_P.new_ones(1, count)

        objective.sampler.draw = draw


class TestCrossEntropy(ObjectiveContract):
    config = CrossEntropyConfig()


class TestSampledCrossEntropy(ObjectiveContract):
    config = SampledCrossEntropyConfig(negatives=8)


class TestSampledCrossEntropyByPopularity(ObjectiveContract):
    config = SampledCrossEntropyConfig(negatives=8, proposal="popularity")


class TestBinaryCrossEntropy(DrawsForEachPosition):
    config = BinaryCrossEntropyConfig(negatives=2)


class TestBayesianPersonalisedRanking(DrawsForEachPosition):
    config = BayesianPersonalisedRankingConfig()


class TestGeneralisedBinaryCrossEntropy(DrawsForEachPosition):
    config = GeneralisedBinaryCrossEntropyConfig(negatives=3)


class TestStosaObjective(DrawsForEachPosition):
    config = StosaObjectiveConfig(negatives=2, weight=0.5)
    backbone = StosaConfig(heads=2)
    without_gradient = ("absent_MD",)


def test_every_registered_objective_has_a_contract_test():
    assert covered(globals(), ObjectiveContract) == registered(ObjectiveConfig)


def test_a_missing_contract_test_is_found():
    with pytest.raises(AssertionError):
        assert covered({"TestCrossEntropy": TestCrossEntropy}, ObjectiveContract) == registered(
            ObjectiveConfig
        )
