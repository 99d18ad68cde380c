"""Every split keeps the contract of splits."""

from prism_rec.data import LeaveOneOut, SplitRule, Temporal
from prism_rec.testing import SplitContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestLeaveOneOut(SplitContract):
    config = LeaveOneOut()


class TestTemporal(SplitContract):
    config = Temporal(quantiles=(0.5, 0.8))


class TestTemporalAtTimes(SplitContract):
    config = Temporal(times=(500, 800))


def test_every_split_has_a_contract_test() -> None:
    assert_every_one_has_a_contract_test(SplitRule, SplitContract, globals())
