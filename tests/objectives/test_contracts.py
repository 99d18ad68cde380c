import pytest
import torch

from prism_rec.backbones.stosa import StosaConfig
from prism_rec.objectives.base import Objective
from prism_rec.objectives.config import ObjectiveConfig
from prism_rec.objectives.cross_entropy import CrossEntropyConfig, SampledCrossEntropyConfig
from prism_rec.objectives.indirec.objective import InDiRecConfig
from prism_rec.objectives.indirec.segments import SegmentBatch
from prism_rec.objectives.sampled import (
    BayesianPersonalisedRankingConfig,
    BinaryCrossEntropyConfig,
    GeneralisedBinaryCrossEntropyConfig,
)
from prism_rec.objectives.stosa import StosaObjectiveConfig
from prism_rec.testing import ObjectiveContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestCrossEntropy(ObjectiveContract):
    config = CrossEntropyConfig()


class TestSampledCrossEntropy(ObjectiveContract):
    config = SampledCrossEntropyConfig(negatives=8)


class TestSampledCrossEntropyByPopularity(ObjectiveContract):
    config = SampledCrossEntropyConfig(negatives=8, proposal="popularity")


class TestBinaryCrossEntropy(ObjectiveContract):
    config = BinaryCrossEntropyConfig(negatives=2)


class TestBayesianPersonalisedRanking(ObjectiveContract):
    config = BayesianPersonalisedRankingConfig()


class TestGeneralisedBinaryCrossEntropy(ObjectiveContract):
    config = GeneralisedBinaryCrossEntropyConfig(negatives=3)


class TestInDiRec(ObjectiveContract):
    config = InDiRecConfig(intents=2, steps=4, null_probability=0.5)

    def turned(self, batch: SegmentBatch) -> SegmentBatch:
        """Turn the segments, and the guides that come after them."""
        order = torch.arange(len(batch.lengths_B)).view(2, -1).flip(1).flatten()
        items = batch.items_P.split(batch.lengths_B.tolist())
        return SegmentBatch(
            torch.cat([items[segment] for segment in order]), batch.lengths_B[order], batch.targets_G.flip(0)
        )

    def steady(self, objective: Objective) -> None:
        """Leave out the diffusion's noise, which is drawn segment by segment."""
        objective.diffusion.loss = lambda targets, guides: (targets - guides).square().mean()
        objective.diffusion.generate = lambda guides: guides.detach().sin()


class TestStosaObjective(ObjectiveContract):
    config = StosaObjectiveConfig(negatives=2, weight=0.5)
    backbone = StosaConfig(heads=2)
    without_gradient = ("absent_MD",)


def test_every_registered_objective_has_a_contract_test():
    assert_every_one_has_a_contract_test(ObjectiveConfig, ObjectiveContract, globals())


def test_a_missing_contract_test_is_found():
    with pytest.raises(
        AssertionError, match="BinaryCrossEntropyConfig.* add a subclass of ObjectiveContract"
    ):
        assert_every_one_has_a_contract_test(
            ObjectiveConfig, ObjectiveContract, {"TestCrossEntropy": TestCrossEntropy}
        )


def test_a_kind_that_is_tested_but_not_registered_is_found():
    class UnregisteredConfig(CrossEntropyConfig):
        pass

    class Unregistered(ObjectiveContract):
        config = UnregisteredConfig()

    names = {**globals(), "TestUnregistered": Unregistered}
    with pytest.raises(AssertionError, match="UnregisteredConfig: tested, but registered nowhere"):
        assert_every_one_has_a_contract_test(ObjectiveConfig, ObjectiveContract, names)
