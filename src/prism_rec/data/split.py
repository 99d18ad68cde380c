"""Splits: where each history is cut into training, validation and test.

A split is a settings class with a `kind`. `cut` returns the cuts; `shortest_history` and `needs_times` are its needs.
With `needs_parts`, `cut` gets the part of each event, not its time; with `has_questions` false, there is no question.
A package adds a split by an entry point of the group `prism_rec.splits`; `testing.SplitContract` has its tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, field_validator, model_validator

from prism_rec.config import Config
from prism_rec.data.histories import Histories, IntArray
from prism_rec.data.times import seconds_of
from prism_rec.plugins import Kinds

Times = npt.NDArray[np.int64] | npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Split:
    """Where each user's history is cut; int64 [U] each.

    Training is `history[:train_end]`, validation `history[train_end:validation_end]`, and test the rest. Each of the
    last two may have a question. A question at position `at` has the input `history[:at]`, never empty, and the target
    `history[at]`. A position of -1 means that the user has no question. Candidates are catalogue rows in rising order;
    None means every item.
    """

    train_end: IntArray
    validation_end: IntArray
    validation_at: IntArray
    test_at: IntArray
    validation_candidates: IntArray | None = None
    test_candidates: IntArray | None = None

    def counts(self) -> dict[str, int]:
        """Return the sizes of the parts, for `splits.json` and `describe`."""
        counts = {
            "training_interactions": int(self.train_end.sum()),
            "users_without_training": int((self.train_end == 0).sum()),
            "validation_queries": int((self.validation_at >= 0).sum()),
            "test_queries": int((self.test_at >= 0).sum()),
        }
        candidates = {"validation": self.validation_candidates, "test": self.test_candidates}
        return counts | {
            f"{part}_candidates": len(rows) for part, rows in candidates.items() if rows is not None
        }


class LeaveOneOut(Config):
    """A user's last item is for test, the one before it for validation.

    Histories of fewer than 3 items are dropped and counted. The model may train on events that are later than another
    user's test event; a temporal split does not allow this.
    """

    kind: Literal["leave-one-out"] = "leave-one-out"
    """Name of the split."""
    shortest_history: ClassVar[int] = 3
    needs_times: ClassVar[bool] = False

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history; `timestamps` is ignored.

        Returns:
            Both targets for every history of 3 or more items, none for a shorter one.
        """
        lengths = histories.lengths
        long_enough = lengths >= self.shortest_history
        return Split(
            train_end=np.where(long_enough, lengths - 2, lengths),
            validation_end=np.where(long_enough, lengths - 1, lengths),
            validation_at=np.where(long_enough, lengths - 2, -1),
            test_at=np.where(long_enough, lengths - 1, -1),
        )


def _seconds(moment: Any) -> Any:
    if not isinstance(moment, str):
        return moment
    seconds = seconds_of(moment)
    if seconds is None:
        raise ValueError(f"{moment!r} is not a time; give seconds since 1970 or a date (2018-09-24)")
    return seconds


Moment = Annotated[float, BeforeValidator(_seconds)]
"""Seconds since 1970; may be given as a date in text."""


class Moments(Config):
    """When validation and test begin, for all users."""

    quantiles: tuple[float, float] | None = (0.8, 0.9)
    """When validation and test begin, as quantiles of all event times."""
    times: tuple[Moment, Moment] | None = None
    """When validation and test begin, instead of quantiles: two dates, such as 2017-01-01 2018-01-01, or seconds since
    1970."""
    shortest_history: ClassVar[int] = 1
    needs_times: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _has_one_of_them(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        given = [name for name in ("quantiles", "times") if values.get(name) is not None]
        if len(given) == 2 or (not given and "quantiles" in values):
            raise ValueError("give either `quantiles` or `times`")
        return {**values, "quantiles": None} if given == ["times"] else values

    @field_validator("quantiles")
    @classmethod
    def _check_quantiles(cls, quantiles: tuple[float, float] | None) -> tuple[float, float] | None:
        if quantiles is not None and not 0 < quantiles[0] < quantiles[1] < 1:
            raise ValueError("give two rising numbers between 0 and 1")
        return quantiles

    @field_validator("times")
    @classmethod
    def _check_times(cls, times: tuple[float, float] | None) -> tuple[float, float] | None:
        if times is not None and not times[0] < times[1]:
            raise ValueError("give two times, the earlier one first")
        return times

    def moments(self, timestamps: Times) -> tuple[float, float]:
        """Return when validation and test begin; a quantile is the next event time at or above it."""
        if self.times is not None:
            return self.times
        assert self.quantiles is not None
        first, second = np.quantile(timestamps, self.quantiles, method="higher")
        return float(first), float(second)


class Temporal(Moments):
    """Two moments cut all histories, so that no training event is later than a question.

    Training is every event before the first moment. A user's validation target is their first event from the first
    moment on and before the second; the test target is their first event from the second moment on. The input of a
    question is everything that the user did before the target; without an earlier event there is no question.
    """

    kind: Literal["temporal"] = "temporal"
    """Name of the split."""

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history.

        Args:
            histories: U histories, each in time order.
            timestamps: [E], the time of every item of `histories`, in seconds.
        """
        return _cut_at(histories, timestamps, *self.moments(timestamps))


class ColdItems(Moments):
    """Two moments cut all histories, and questions are about items that appear after training only.

    Training is every event before the first moment. The candidates of validation are the items whose first event is
    between the moments; those of test, the items whose first event is later. A user's target is their first event with
    a candidate of the part. The input of a question is everything that the user did before the target, so it may have
    events after training; without an earlier event there is no question.
    """

    kind: Literal["cold-items"] = "cold-items"
    """Name of the split."""

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history; see `Temporal.cut`."""
        first, second = self.moments(timestamps)
        items = histories.items
        began_N = np.full(int(items.max(initial=0)) + 1, np.inf)
        np.minimum.at(began_N, items, timestamps)
        new_in_validation = (began_N >= first) & (began_N < second)
        new_in_test = (began_N >= second) & (began_N < np.inf)
        return Split(
            train_end=_count_before(histories, timestamps, first),
            validation_end=_count_before(histories, timestamps, second),
            validation_at=_first_of(histories, new_in_validation[items] & (timestamps < second)),
            test_at=_first_of(histories, new_in_test[items]),
            validation_candidates=np.flatnonzero(new_in_validation),
            test_candidates=np.flatnonzero(new_in_test),
        )


class Given(Config):
    """The parts that the source has: files for training, validation and test, or MMRec's labels.

    A user's question of a part is the first event there; its input is everything before it. Without an earlier event
    there is no question.
    """

    kind: Literal["given"] = "given"
    """Name of the split."""
    shortest_history: ClassVar[int] = 1
    needs_times: ClassVar[bool] = False
    needs_parts: ClassVar[bool] = True

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut every history; `timestamps` is the part of every item: 0, 1 or 2."""
        return _cut_at(histories, timestamps, 1, 2)


class NoSplit(Config):
    """Everything is for training; there are no questions, so that nothing can be measured."""

    kind: Literal["none"] = "none"
    """Name of the split."""
    shortest_history: ClassVar[int] = 1
    needs_times: ClassVar[bool] = False
    has_questions: ClassVar[bool] = False

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        """Cut no history."""
        none = np.full(len(histories), -1)
        return Split(histories.lengths, histories.lengths, none, none)


SplitRule = Annotated[LeaveOneOut | Temporal | ColdItems | Given | NoSplit, Kinds("prism_rec.splits")]
"""The settings of any split."""


def _cut_at(histories: Histories, timestamps: Times, validation_from: float, test_from: float) -> Split:
    before_validation = _count_before(histories, timestamps, validation_from)
    before_test = _count_before(histories, timestamps, test_from)
    has_input = (before_validation > 0, before_test > 0)
    return Split(
        train_end=before_validation,
        validation_end=before_test,
        validation_at=np.where(has_input[0] & (before_validation < before_test), before_validation, -1),
        test_at=np.where(has_input[1] & (before_test < histories.lengths), before_test, -1),
    )


def _count_before(histories: Histories, timestamps: Times, moment: float) -> IntArray:
    earlier = np.concatenate([[0], np.cumsum(timestamps < moment)])
    return np.diff(earlier[histories.offsets])


def _first_of(histories: Histories, marked: npt.NDArray[np.bool_]) -> IntArray:
    """Return the place of the first marked event of each history; -1 if there is none, or if it is the first event."""
    users = np.repeat(np.arange(len(histories)), histories.lengths)[marked]
    places = np.flatnonzero(marked) - histories.offsets[users]
    at = np.full(len(histories), -1)
    found, chosen = np.unique(users, return_index=True)
    at[found] = places[chosen]
    return np.where(at > 0, at, -1)


def needs_parts(rule: Any) -> bool:
    """Tell whether a split is made of the parts that the source gives; by default it is not."""
    return bool(getattr(rule, "needs_parts", False))


def has_questions(rule: Any) -> bool:
    """Tell whether a split has validation and test questions; by default it has."""
    return bool(getattr(rule, "has_questions", True))
