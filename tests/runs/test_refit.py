"""A run is trained again on everything, for the number of epochs that validation chose."""

from pathlib import Path
from unittest.mock import patch

import pytest

from command_line import prism_rec
from prism_rec import Dataset, Run, load, refit
from prism_rec.errors import FolderError, InputError
from prism_rec.files import hash_file
from prism_rec.runs import refit as stage
from prism_rec.runs.train import train
from runs.test_warm_start import settings, shop

ITEMS = [f"i{n}" for n in range(8)]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return shop(ITEMS, 12, seed=0)


@pytest.fixture(scope="module")
def measured(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose best epoch is not its last."""
    run = train(settings(6), tmp_path_factory.mktemp("runs") / "measured", data=dataset, device="cpu")
    manifest = run.folder.read_manifest()
    assert manifest["best_epoch"] < manifest["epochs"]
    return run


def test_it_takes_everything_for_the_epochs_of_the_best_one(measured: Run, tmp_path: Path) -> None:
    best = measured.folder.read_manifest()["best_epoch"]
    ran = prism_rec("refit", measured.folder.path, "--out", tmp_path / "whole")
    assert ran.status == 0, ran.err
    assert f"trained on everything for {best} epoch" in ran.out
    run = Run.load(tmp_path / "whole", "cpu")
    assert run.config.train.epochs == run.folder.read_manifest()["epochs"] == best
    assert run.dataset.rule.kind == "none"
    assert run.dataset.training().lengths.sum() == len(measured.dataset.interactions)
    assert run.config.model == measured.config.model
    assert not run.model.items.ids.weight.equal(measured.model.items.ids.weight)
    assert len(load(tmp_path / "whole").recommend(users=["u1"], k=2)) == 2


def test_an_interrupted_one_continues_and_ends_with_the_same_numbers(measured: Run, tmp_path: Path) -> None:
    whole = refit(measured, tmp_path / "whole", device="cpu")

    def interrupted(*given: object, **named: object) -> Run:
        def stop(records: object) -> None:
            raise KeyboardInterrupt

        return train(*given, after_epoch=stop, **named)  # type: ignore[arg-type]

    with patch.object(stage, "train", interrupted), pytest.raises(KeyboardInterrupt):
        refit(measured, tmp_path / "part", device="cpu")
    again = refit(measured, tmp_path / "part", device="cpu")
    assert again.model.items.ids.weight.equal(whole.model.items.ids.weight)


def test_it_names_the_run_that_it_came_from(measured: Run, dataset: Dataset, tmp_path: Path) -> None:
    whole = refit(measured, tmp_path / "whole", device="cpu")
    inputs = whole.folder.read_manifest()["inputs"]
    assert inputs == {"measured/best.safetensors": hash_file(measured.folder.best)}
    assert refit(measured, tmp_path / "whole", device="cpu").folder.read_manifest()["inputs"] == inputs
    changed = measured.config.model_copy(
        update={"train": measured.config.train.model_copy(update={"learning_rate": 0.1})}
    )
    other = train(changed, tmp_path / "other", data=dataset, device="cpu")
    with pytest.raises(FolderError, match="was made from another run"):
        refit(other, tmp_path / "whole")


def test_other_data_may_be_given_and_its_split_is_ignored(measured: Run, tmp_path: Path) -> None:
    more = shop(ITEMS, 20, seed=0)
    run = refit(measured, tmp_path / "more", data=more, device="cpu")
    assert run.dataset.training().lengths.sum() == len(more.interactions) > len(measured.dataset.interactions)


def test_a_control_is_not_applied_twice(dataset: Dataset, tmp_path: Path) -> None:
    shuffled = settings(1).model_copy(update={"features": "shuffled"})
    first = train(shuffled, tmp_path / "first", data=dataset, device="cpu")
    again = refit(first, tmp_path / "again", device="cpu")
    assert again.dataset.features["text"].equals(first.dataset.features["text"])


def test_what_validation_did_not_choose_is_refused(measured: Run, tmp_path: Path) -> None:
    whole = refit(measured, tmp_path / "whole", device="cpu")
    with pytest.raises(InputError, match="trained on everything already"):
        refit(whole, tmp_path / "again")
    with pytest.raises(InputError, match="leave `start` out"):
        refit(measured, tmp_path / "again", start=whole)
    warm = train(settings(1), tmp_path / "warm", data=measured.dataset, start=measured, device="cpu")
    with pytest.raises(InputError, match="name it as `start`"):
        refit(warm, tmp_path / "again")
    assert refit(warm, tmp_path / "again", start=measured, device="cpu").folder.read_start() is not None
    with pytest.raises(FolderError):
        refit(measured, tmp_path / "again")
