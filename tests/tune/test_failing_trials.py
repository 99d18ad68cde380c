"""What a trial may die of: its own settings, which cost it alone, or the data, which ends the search."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from searching import StopsAfter, search_with, timeless

from prism_rec.errors import InputError
from prism_rec.train import EpochRecord
from prism_rec.tune import Outcome, Search, SearchListener, Tuned, tune
from prism_rec.tune.attempt import OUT_OF_MEMORY
from prism_rec.tune.progress import SearchBar
from prism_rec.tune.run import TRIALS


def test_settings_that_do_not_go_together_cost_a_trial_and_are_told(data: Path, tmp_path: Path) -> None:
    space = {"model.width": {"kind": "choice", "values": [7, 9]}}
    with pytest.raises(
        InputError, match=r"no trial could be made, the first because model.width [79] is not a multiple"
    ) as caught:
        tune(search_with(tune__space=space, tune__trials=2, model__width=8), data, tmp_path, "cpu")
    assert "\n" not in str(caught.value)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return learning rates that trials try one after another instead of proposals; to be filled."""
    given: list[float] = []
    monkeypatch.setattr(Search, "propose", lambda *_: {"train.learning_rate": given.pop(0)})
    return given


def test_a_diverged_loss_is_a_failed_trial_and_the_search_goes_on(
    data: Path, tmp_path: Path, rates: list[float]
) -> None:
    rates += [1e38, 0.03]
    with SearchBar(3, "ndcg@10") as bar:
        tuned = tune(search_with(tune__trials=2), data, tmp_path, "cpu", bar)
    failed, best = tuned.outcomes
    assert (failed.state, failed.value, tuned.best) == ("failed", None, best)
    assert failed.why.startswith("the loss is not finite in epoch 1; ")
    assert failed.why in (tmp_path / TRIALS).read_text()
    assert not list((tmp_path / "trials" / "000").glob("*.safetensors"))
    assert tune(search_with(tune__trials=2), data, tmp_path, "cpu") == tuned  # no trial is made again
    rates += [1e38]
    with pytest.raises(InputError, match="no trial could be made, the first because the loss is not finite"):
        tune(search_with(tune__trials=1), data, tmp_path / "other", "cpu")


def ask_for_too_much() -> RuntimeError:
    """Return what PyTorch says on the CPU where there is no room."""
    with pytest.raises(RuntimeError) as refusal:
        torch.empty(1 << 60, dtype=torch.uint8)
    return refusal.value


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA\nis full"), MemoryError(), ask_for_too_much()], ids=type
)
def test_a_trial_that_runs_out_of_memory_is_a_failed_one_and_the_search_goes_on(
    data: Path, tmp_path: Path, error: Exception
) -> None:
    class Starves(StopsAfter):
        def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
            if (self.ended, len(records)) == (self.trial, self.epoch):
                raise error

    tuned = tune(search_with(tune__trials=2), data, tmp_path, "cpu", Starves(trial=0, epoch=2))
    assert [outcome.state for outcome in tuned.outcomes] == ["failed", "complete"]
    assert (tuned.outcomes[0].why, tuned.outcomes[0].epochs) == (OUT_OF_MEMORY, 2)
    assert tuned.best == tuned.outcomes[1]


def test_data_that_goes_in_the_middle_of_a_search_ends_it_and_costs_no_trial(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    place, gone = tmp_path / "data", tmp_path / "gone"
    shutil.copytree(data, place)

    class Removes(SearchListener):
        def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
            if len(outcomes) == 1:
                place.rename(gone)

    with pytest.raises(InputError, match="no such folder; a finished prepare folder is needed"):
        tune(search_with(), place, tmp_path / "out", "cpu", Removes())
    gone.rename(place)
    tuned = tune(search_with(), place, tmp_path / "out", "cpu")
    assert timeless(tuned.outcomes) == timeless(alone[0].outcomes)
