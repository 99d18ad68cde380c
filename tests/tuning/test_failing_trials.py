"""What a trial may die of: its own settings, which cost it alone, or the data, which ends the search."""

import shutil
from pathlib import Path

import pytest
import torch

from prism_rec.cli.bars import Bars
from prism_rec.errors import InputError
from prism_rec.tuning.attempt import OUT_OF_MEMORY
from prism_rec.tuning.search import Search
from prism_rec.tuning.tune import TRIALS, Tuned, tune
from tuning.searching import StopsAfter, Watch, search_with, timeless


@pytest.mark.slow
def test_settings_that_do_not_go_together_cost_a_trial_and_are_told(data: Path, tmp_path: Path) -> None:
    space = {"model.width": {"kind": "choice", "values": [7, 9]}}
    with pytest.raises(
        InputError, match=r"no trial succeeded; the first failed because model.width [79] is not a multiple"
    ) as caught:
        tune(
            search_with(tune__space=space, tune__trials=2, model__width=8), tmp_path, data=data, device="cpu"
        )
    assert "\n" not in str(caught.value)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return learning rates that trials try one after another instead of proposals; to be filled."""
    given: list[float] = []
    monkeypatch.setattr(Search, "propose", lambda *_: {"train.learning_rate": given.pop(0)})
    return given


@pytest.mark.slow
def test_a_diverged_loss_is_a_failed_trial_and_the_search_goes_on(
    data: Path, tmp_path: Path, rates: list[float]
) -> None:
    rates += [1e38, 0.03]
    with Bars() as bars:
        tuned = tune(search_with(tune__trials=2), tmp_path, data=data, device="cpu", events=bars)
    failed, best = tuned.results
    assert (failed.state, failed.value, tuned.best) == ("failed", None, best)
    assert failed.why.startswith("the loss is not finite in epoch 1; ")
    assert failed.why in (tmp_path / TRIALS).read_text()
    assert not list((tmp_path / "trials" / "000").glob("*.safetensors"))
    assert (
        tune(search_with(tune__trials=2), tmp_path, data=data, device="cpu") == tuned
    )  # no trial is made again
    rates += [1e38]
    with pytest.raises(
        InputError, match="no trial succeeded; the first failed because the loss is not finite"
    ):
        tune(search_with(tune__trials=1), tmp_path / "other", data=data, device="cpu")


def ask_for_too_much() -> RuntimeError:
    """Return what PyTorch says on the CPU where there is no room."""
    with pytest.raises(RuntimeError) as refusal:
        torch.empty(1 << 60, dtype=torch.uint8)
    return refusal.value


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA\nis full"), MemoryError(), ask_for_too_much()], ids=type
)
@pytest.mark.slow
def test_a_trial_that_runs_out_of_memory_is_a_failed_one_and_the_search_goes_on(
    data: Path, tmp_path: Path, error: Exception
) -> None:
    class Starves(StopsAfter):
        def reach(self, trials: int, epochs: int) -> None:
            if (trials, epochs) == self.moment:
                raise error

    tuned = tune(
        search_with(tune__trials=2), tmp_path, data=data, device="cpu", events=Starves(trial=0, epoch=2)
    )
    assert [result.state for result in tuned.results] == ["failed", "complete"]
    assert (tuned.results[0].why, tuned.results[0].epochs) == (OUT_OF_MEMORY, 2)
    assert tuned.best == tuned.results[1]


@pytest.mark.slow
def test_data_that_goes_in_the_middle_of_a_search_ends_it_and_costs_no_trial(
    alone: tuple[Tuned, Path], data: Path, tmp_path: Path
) -> None:
    place, gone = tmp_path / "data", tmp_path / "gone"
    shutil.copytree(data, place)

    class Removes(Watch):
        def reach(self, trials: int, epochs: int) -> None:
            if (trials, epochs) == (1, 0) and place.exists():
                place.rename(gone)

    with pytest.raises(InputError, match="no such folder; a finished prepare folder is needed"):
        tune(search_with(), tmp_path / "out", data=place, device="cpu", events=Removes())
    gone.rename(place)
    tuned = tune(search_with(), tmp_path / "out", data=place, device="cpu")
    assert timeless(tuned.results) == timeless(alone[0].results)
