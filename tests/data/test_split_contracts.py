"""Every split keeps the contract of splits."""

import numpy as np

from prism_rec.data import ColdItems, Histories, LeaveOneOut, SplitRule, Temporal
from prism_rec.data.split import Given, NoSplit
from prism_rec.testing import SplitContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestLeaveOneOut(SplitContract):
    config = LeaveOneOut()


class TestTemporal(SplitContract):
    config = Temporal(quantiles=(0.5, 0.8))


class TestTemporalAtTimes(SplitContract):
    config = Temporal(times=(500, 800))


class TestColdItems(SplitContract):
    config = ColdItems(times=(100, 250))


class TestGiven(SplitContract):
    config = Given()

    def histories(self) -> tuple[Histories, np.ndarray]:
        histories, times = super().histories()
        return histories, (times >= 500).astype(np.int64) + (times >= 800)

    def test_a_split_without_times_ignores_them(self) -> None:
        """It gets parts."""


class TestNoSplit(SplitContract):
    config = NoSplit()

    def test_there_are_questions_of_both_parts(self) -> None:
        """It has none."""
        counts = self.cut().counts()
        assert counts["training_interactions"] == len(self.histories()[1])
        assert counts["validation_queries"] == counts["test_queries"] == 0


def test_every_split_has_a_contract_test() -> None:
    assert_every_one_has_a_contract_test(SplitRule, SplitContract, globals())
