import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data import ColdItems, Histories, LeaveOneOut, Split, SplitRule, Temporal
from prism_rec.errors import SettingsError
from prism_rec.plugins import choose

TIMES = st.lists(st.lists(st.integers(0, 30), max_size=7).map(sorted), min_size=1, max_size=6)


def split_of(rule: LeaveOneOut | Temporal, times: list[list[int]]) -> tuple[Histories, np.ndarray, Split]:
    """Split histories whose items are 1, 2, 3, ... over all users, so that each names one event."""
    numbers = iter(range(1, 1000))
    histories = Histories.from_lists([[next(numbers) for _ in row] for row in times])
    timestamps = np.array([moment for row in times for moment in row], np.int64)
    return histories, timestamps, rule.cut(histories, timestamps)


@given(TIMES)
@settings(max_examples=60)
def test_leave_one_out_takes_the_last_two_items(times: list[list[int]]) -> None:
    histories, _, split = split_of(LeaveOneOut(), times)
    for user, length in enumerate(histories.lengths):
        expected = (
            (length - 2, length - 1, length - 2, length - 1) if length >= 3 else (length, length, -1, -1)
        )
        ends = (split.train_end[user], split.validation_end[user])
        assert (*ends, split.validation_at[user], split.test_at[user]) == expected


@given(TIMES, st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda pair: pair[0] < pair[1]))
@settings(max_examples=100)
def test_temporal_trains_on_nothing_younger_than_a_question(
    times: list[list[int]], moments: tuple[int, int]
) -> None:
    _, _, split = split_of(Temporal(times=moments), times)
    for user, row in enumerate(times):
        assert row[: split.train_end[user]] == [moment for moment in row if moment < moments[0]]
        assert row[split.validation_end[user] :] == [moment for moment in row if moment >= moments[1]]
        for at, first, end in (
            (split.validation_at[user], moments[0], moments[1]),
            (split.test_at[user], moments[1], np.inf),
        ):
            inside = [position for position, moment in enumerate(row) if first <= moment < end]
            expected = inside[0] if inside and inside[0] > 0 else -1
            assert at == expected


@given(TIMES)
@settings(max_examples=60)
def test_no_question_has_its_target_in_its_input_or_in_training(times: list[list[int]]) -> None:
    rules: list[LeaveOneOut | Temporal] = [LeaveOneOut()]
    if any(times):
        rules.append(Temporal(quantiles=(0.3, 0.6)))
    for rule in rules:
        histories, _, split = split_of(rule, times)
        for user in range(len(histories)):
            training = histories[user][: split.train_end[user]]
            for at in (split.validation_at[user], split.test_at[user]):
                if at >= 0:
                    assert at > 0
                    target = histories[user][at]
                    assert target not in histories[user][:at]
                    assert target not in training


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=7), min_size=1, max_size=6),
    st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda pair: pair[0] < pair[1]),
)
@settings(max_examples=100)
def test_cold_items_have_no_event_before_their_part(
    users: list[list[tuple[int, int]]], moments: tuple[int, int]
) -> None:
    users = [sorted(events) for events in users]
    histories = Histories.from_lists([[item for _, item in events] for events in users])
    times = np.array([moment for events in users for moment, _ in events], np.int64)
    split = ColdItems(times=moments).cut(histories, times)
    began: dict[int, int] = {}
    for moment, item in sorted(event for events in users for event in events):
        began.setdefault(item, moment)
    for at, candidates, first, end in (
        (split.validation_at, split.validation_candidates, moments[0], moments[1]),
        (split.test_at, split.test_candidates, moments[1], np.inf),
    ):
        assert candidates is not None
        assert candidates.tolist() == sorted(item for item, moment in began.items() if first <= moment < end)
        for user, events in enumerate(users):
            places = [
                place
                for place, (moment, item) in enumerate(events)
                if item in candidates and first <= moment < end
            ]
            assert at[user] == (places[0] if places and places[0] > 0 else -1)
    for user, events in enumerate(users):
        assert split.train_end[user] == sum(moment < moments[0] for moment, _ in events)


def test_a_quantile_is_a_time_that_occurs() -> None:
    timestamps = np.array([5, 1, 9, 2, 7])
    assert Temporal(quantiles=(0.3, 0.9)).moments(timestamps) == (5, 9)
    assert Temporal(times=(3.5, 4)).moments(timestamps) == (3.5, 4)


def test_counts_tell_who_is_left_without_what() -> None:
    _, _, split = split_of(Temporal(times=(10, 20)), [[1, 2, 12, 22], [11, 12], [25], [1]])
    assert split.counts() == {
        "training_interactions": 3,
        "users_without_training": 2,
        "validation_queries": 1,
        "test_queries": 1,
    }


@pytest.mark.parametrize(
    "rule", [LeaveOneOut(), Temporal(quantiles=(0.5, 0.75)), Temporal(times=(1, 2)), ColdItems()]
)
def test_a_rule_survives_its_stored_form(rule: LeaveOneOut | Temporal | ColdItems) -> None:
    assert choose(SplitRule, rule.model_dump(mode="json"), "split") == rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("random", r"split\.kind: there is no 'random'; choose one of leave-one-out, temporal"),
        ({"kind": "temporal", "quantile": 0.8}, r"unknown key split\.quantile; did you mean quantiles"),
        ({"kind": "temporal", "quantiles": (0.9, 0.8)}, "two rising numbers"),
        ({"kind": "temporal", "times": (5, 5)}, "the earlier one first"),
        ({"kind": "temporal", "times": (1, "soon")}, r"split\.times\.1: 'soon' is not a time; give seconds"),
        (
            {"kind": "temporal", "times": (1, 2), "quantiles": (0.8, 0.9)},
            "give either `quantiles` or `times`",
        ),
        ({"kind": "temporal", "quantiles": None}, "give either `quantiles` or `times`"),
        ({"name": "temporal"}, "needs a kind"),
    ],
)
def test_a_wrong_rule_is_refused(rule: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        choose(SplitRule, rule, "split")


def test_times_may_be_dates() -> None:
    dates = Temporal.parse({"times": ["1970-01-01T00:00:02", "1970-01-02"]}, "split")
    assert dates == Temporal(times=(2, 86_400))
    assert dates.quantiles is None
