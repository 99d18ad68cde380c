"""Trials that fall behind the others are cut short."""

from pathlib import Path
from typing import Any

import pytest

from prism_rec.runs.shared_data import SharedData
from prism_rec.tuning.attempt import Bench
from prism_rec.tuning.search import Search
from prism_rec.tuning.tune import tune
from tuning.searching import search_with

LOG = "log.jsonl"


class Stubborn:
    """Proposes what it is given, and is content with so many validations."""

    def __init__(self, chosen: dict[str, Any], content_with: int = 99) -> None:
        self.chosen, self.content_with = chosen, content_with
        self.reports: list[tuple[float, int]] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> Any:
        return self.chosen.get(name, low)

    def suggest_int(self, name: str, low: int, high: int) -> Any:
        return self.chosen.get(name, low)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self.chosen.get(name, choices[0])

    def report(self, value: float, step: int) -> None:
        self.reports.append((value, step))

    def should_prune(self) -> bool:
        return len(self.reports) >= self.content_with


def bench(search: Search, data: Path, out: Path) -> Bench:
    return Bench(search, SharedData(data, out / "data"), out, "cpu")


@pytest.mark.slow
def test_a_trial_that_falls_behind_is_cut_short(data: Path, tmp_path: Path) -> None:
    place = bench(search_with(train__epochs=4, train__validate_every=2, train__patience=9), data, tmp_path)
    whole = place.attempt(Stubborn({}), 0)
    assert (whole.state, whole.epochs) == ("complete", 4)
    for _ in range(2):  # and once more, where it was cut off before its result was told
        trial = Stubborn({}, content_with=1)
        cut = place.attempt(trial, 1)
        assert (cut.state, cut.epochs, cut.best_epoch) == ("pruned", 2, 2)
        assert trial.reports == [(cut.value, 2)]
    trial = Stubborn({})
    assert place.attempt(trial, 0) == whole  # found whole, and its epochs are reported all the same
    assert [step for _, step in trial.reports] == [2, 4]


@pytest.mark.slow
def test_slow_starters_are_compared_with_the_median_of_five(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sixth trial, which learns nothing, is cut short, and not before it may be."""
    rates = [0.03] * 5 + [1e-9]

    def propose(self: Search, trial: Any) -> dict[str, Any]:
        done = len(list((tmp_path / "trials").iterdir())) if (tmp_path / "trials").exists() else 0
        return {"train.learning_rate": rates[done]}

    monkeypatch.setattr(Search, "propose", propose)
    search = search_with(tune__trials=6, tune__prune_after=2, train__epochs=6, train__patience=6)
    tuned = tune(search, tmp_path, data=data, device="cpu")
    assert [result.state for result in tuned.results] == ["complete"] * 5 + ["pruned"]
    assert tuned.results[5].epochs == 3
    assert (tmp_path / "trials" / "005" / LOG).exists()
