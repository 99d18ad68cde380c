"""Where each history is cut into training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import field_validator

from prism_rec.config import Config
from prism_rec.data.histories import Histories, IntArray
from prism_rec.errors import InputError

Times = npt.NDArray[np.int64] | npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Split:
    """Where each user's history is cut; int64 [U] each; -1: this user has no such target.

    Training is `history[:train_end]`; a question at position `at` has the input `history[:at]`, never empty,
    and the target `history[at]`.
    """

    train_end: IntArray
    validation_at: IntArray
    test_at: IntArray

    def counts(self) -> dict[str, int]:
        """Count what the split made, for `splits.json` and for `describe`."""
        return {
            "training_interactions": int(self.train_end.sum()),
            "users_without_training": int((self.train_end == 0).sum()),
            "validation_queries": int((self.validation_at >= 0).sum()),
            "test_queries": int((self.test_at >= 0).sum()),
        }


class LeaveOneOut(Config):
    """The last item of a history is the test target, the one before it the validation target.

    Histories of fewer than 3 items cannot be split; they are dropped and counted when a dataset is made. This
    rule lets a model train on events after another user's test event; `Temporal` does not.
    """

    name: Literal["leave-one-out"] = "leave-one-out"

    @property
    def shortest_history(self) -> int:
        """Shorter histories cannot be used under this rule."""
        return 3

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history; `timestamps` is not needed here.

        Returns:
            A split in which every history of 3 or more items has both targets and a shorter one has neither.
        """
        lengths = histories.lengths
        long_enough = lengths >= self.shortest_history
        return Split(
            train_end=np.where(long_enough, lengths - 2, lengths),
            validation_at=np.where(long_enough, lengths - 2, -1),
            test_at=np.where(long_enough, lengths - 1, -1),
        )


class Temporal(Config):
    """Two moments cut all histories alike, so that nothing learned is younger than any question.

    Training is every event before the first moment. A user's validation target is their first event from the
    first moment on and before the second; the test target is their first event from the second moment on. The
    input of a question is everything the user did before it; without an earlier event there is no question.

    Attributes:
        quantiles: the two moments as quantiles of all event times; not used where `times` is given.
        times: the two moments themselves, in the unit of the timestamps (seconds since 1970).
    """

    name: Literal["temporal"] = "temporal"
    quantiles: tuple[float, float] = (0.8, 0.9)
    times: tuple[float, float] | None = None

    @field_validator("quantiles")
    @classmethod
    def _check_quantiles(cls, quantiles: tuple[float, float]) -> tuple[float, float]:
        if not 0 < quantiles[0] < quantiles[1] < 1:
            raise ValueError("give two rising numbers between 0 and 1")
        return quantiles

    @field_validator("times")
    @classmethod
    def _check_times(cls, times: tuple[float, float] | None) -> tuple[float, float] | None:
        if times is not None and not times[0] < times[1]:
            raise ValueError("give two moments, the earlier one first")
        return times

    @property
    def shortest_history(self) -> int:
        """Every history can be used under this rule."""
        return 1

    def moments(self, timestamps: Times) -> tuple[float, float]:
        """Return when validation and test begin; a quantile is the next event time at or above it."""
        if self.times is not None:
            return self.times
        first, second = np.quantile(timestamps, self.quantiles, method="higher")
        return float(first), float(second)

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history.

        Args:
            histories: U histories, each in time order.
            timestamps: [E], the time of every item of `histories`.
        """
        validation_from, test_from = self.moments(timestamps)
        before_validation = _count_before(histories, timestamps, validation_from)
        before_test = _count_before(histories, timestamps, test_from)
        has_input = (before_validation > 0, before_test > 0)
        return Split(
            train_end=before_validation,
            validation_at=np.where(has_input[0] & (before_validation < before_test), before_validation, -1),
            test_at=np.where(has_input[1] & (before_test < histories.lengths), before_test, -1),
        )


SplitRule = LeaveOneOut | Temporal
_RULES: dict[str, type[LeaveOneOut] | type[Temporal]] = {"leave-one-out": LeaveOneOut, "temporal": Temporal}


def parse_rule(rule: str | Mapping[str, Any] | SplitRule) -> SplitRule:
    """Return the rule that a name, such as "temporal", or stored parameters with a `name` stand for.

    Raises:
        InputError: no such rule, an unknown parameter, or a value out of range.
    """
    if isinstance(rule, LeaveOneOut | Temporal):
        return rule
    values = {"name": rule} if isinstance(rule, str) else rule
    if values.get("name") not in _RULES:
        raise InputError(f"split: no rule {values.get('name')!r}; choose one of {', '.join(_RULES)}")
    return _RULES[values["name"]].parse(values, "split")


def _count_before(histories: Histories, timestamps: Times, moment: float) -> IntArray:
    earlier = np.concatenate([[0], np.cumsum(timestamps < moment)])
    return np.diff(earlier[histories.offsets])
