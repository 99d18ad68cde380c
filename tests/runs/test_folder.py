"""What the folder of a run may have before training, and which changes are noticed afterwards."""

import errno
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from locks import held_elsewhere
from prism_rec.data import Dataset
from prism_rec.errors import BusyError, DamagedError, FolderError, InputError, SettingsError
from prism_rec.evaluation.results import Evaluation
from prism_rec.events import Events
from prism_rec.folders import begin_folder
from prism_rec.runs.evaluate import evaluate
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.run import Run
from prism_rec.runs.train import train
from prism_rec.training import RunConfig, TrainConfig


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


CONFIG = RunConfig.parse({"model": {"width": 8, "max_length": 5}, "train": {"epochs": 1}})


def make_dataset(prefix: str = "u", events: int = 5) -> Dataset:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat([f"{prefix}{user}" for user in range(20)], events),
            "item_id": np.concatenate([random.choice(12, events, replace=False) for _ in range(20)]),
        }
    )
    return Dataset.from_frame(log, time="order")


@pytest.mark.parametrize("left", ["data/precious.csv", "last.safetensors"])
def test_what_no_run_began_is_neither_taken_nor_touched(tmp_path: Path, left: str) -> None:
    (tmp_path / left).parent.mkdir(exist_ok=True)
    (tmp_path / left).write_text("precious")
    with pytest.raises(InputError, match="and train was not begun there; name another folder"):
        train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    assert (tmp_path / left).read_text() == "precious"
    assert not (tmp_path / "config.json").exists()


def test_a_run_of_a_plug_in_that_is_not_installed_says_so(tmp_path: Path) -> None:
    settings = {"model": {"backbone": {"kind": "of_a_package", "size": 3}}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    told = r"there is no 'of_a_package'; choose one of sasrec, .*, or install the package that adds it$"
    with pytest.raises(SettingsError, match=told):
        RunFolder(tmp_path).read_config()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(
        FolderError, match=r"has notes.txt, and train was not begun there; name another folder"
    ):
        train(CONFIG, tmp_path, data=make_dataset(), device="cpu")


def test_a_finished_run_is_kept_and_said_so(tmp_path: Path) -> None:
    first = train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    before = (tmp_path / "manifest.json").stat().st_mtime_ns
    notes = Notes()
    again = train(CONFIG, tmp_path, data=make_dataset(), device="cpu", events=notes)
    assert notes.lines == [f"done before: {tmp_path}"]
    assert (tmp_path / "manifest.json").stat().st_mtime_ns == before
    weights = first.model.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in again.model.state_dict().items())


def test_without_resume_any_content_is_refused(tmp_path: Path) -> None:
    train(CONFIG, tmp_path / "new", data=make_dataset(), device="cpu", resume=False)
    with pytest.raises(FolderError, match="new has earlier work in it; .* continue the work with `resume`"):
        train(CONFIG, tmp_path / "new", data=make_dataset(), device="cpu", resume=False)


def test_other_settings_are_refused_with_the_first_that_differs(tmp_path: Path) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    other = CONFIG.model_copy(update={"train": TrainConfig(epochs=2, seed=1)})
    with pytest.raises(
        FolderError, match=r"other settings: `train.epochs` is 1 there and 2 here; name another"
    ):
        train(other, tmp_path, data=make_dataset(), device="cpu")


def test_nothing_is_printed_without_events(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    assert capfd.readouterr() == ("", "")


def test_a_file_in_the_place_of_the_folder_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="run is a file; name a folder"):
        train(CONFIG, tmp_path / "run", data=make_dataset(), device="cpu")


def test_a_run_killed_while_its_data_was_written_goes_on(tmp_path: Path) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    begin_folder(tmp_path, "train")
    begin_folder(tmp_path / "data", "prepare")
    (tmp_path / "data/items.parquet").unlink()
    run = train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    assert Run.load(tmp_path, "cpu").dataset.items.equals(run.dataset.items)


def test_the_same_events_of_other_users_are_other_data(tmp_path: Path) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    with pytest.raises(InputError, match="begun on other data"):
        train(CONFIG, tmp_path, data=make_dataset("v"), device="cpu")


def test_changed_weights_are_never_taken(tmp_path: Path) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    weights = tmp_path / "best.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(
        InputError, match=r"best\.safetensors was changed after it was written; run train again"
    ):
        Run.load(tmp_path, "cpu")


@pytest.mark.parametrize("name", ["best.safetensors", "config.json", "log.jsonl", "data/items.parquet"])
@pytest.mark.slow
def test_a_changed_run_is_noticed_and_training_again_heals_it(tmp_path: Path, name: str) -> None:
    first = train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=f"{path.name} was changed after it was written; run train again"):
        Run.load(tmp_path, "cpu")
    notes = Notes()
    again = train(CONFIG, tmp_path, data=make_dataset(), device="cpu", events=notes)
    assert any(line.endswith("the run begins again") for line in notes.lines)
    weights = first.model.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in again.model.state_dict().items())
    Run.load(tmp_path, "cpu")


def test_two_trainings_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with (
        held_elsewhere(tmp_path / "run"),
        pytest.raises(BusyError, match="another process works in .*run; wait"),
    ):
        train(CONFIG, tmp_path / "run", data=make_dataset(), device="cpu")
    train(CONFIG, tmp_path / "run", data=make_dataset(), device="cpu")


def test_the_data_is_not_the_folder_of_the_run(tmp_path: Path) -> None:
    make_dataset().save(tmp_path)
    with pytest.raises(FolderError, match="is the input"):
        train(CONFIG, tmp_path, data=tmp_path, device="cpu")


@pytest.mark.parametrize("objective", ["cross_entropy", "bce", "indirec"])
def test_data_without_a_pair_to_learn_from_is_refused(tmp_path: Path, objective: str) -> None:
    config = RunConfig.parse({**CONFIG.model_dump(), "objective": {"kind": objective}})
    with pytest.raises(InputError, match="no training history has two items"):
        train(config, tmp_path / objective, data=make_dataset(events=3), device="cpu")


def test_the_manifest_counts_all_epochs(tmp_path: Path) -> None:
    train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    epochs = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    seconds = json.loads((tmp_path / "manifest.json").read_text())["seconds"]
    assert seconds == pytest.approx(sum(epoch["seconds"] for epoch in epochs), abs=1e-3)


def test_the_seed_of_the_run_decides_and_nothing_before_it(tmp_path: Path) -> None:
    weights = {}
    for name, chance, seed in (("one", 1, 0), ("two", 2, 0), ("three", 1, 5)):
        torch.manual_seed(chance)
        config = CONFIG.model_copy(update={"train": CONFIG.train.model_copy(update={"seed": seed})})
        run = train(config, tmp_path / name, data=make_dataset(), device="cpu")
        weights[name] = torch.cat([weight.flatten() for weight in run.model.state_dict().values()])
    assert torch.equal(weights["one"], weights["two"])
    assert not torch.equal(weights["one"], weights["three"])


def test_an_evaluation_that_cannot_be_stored_still_gives_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(CONFIG, tmp_path, data=make_dataset(), device="cpu")
    expected = evaluate(run)

    def refuse(self: Evaluation, path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Evaluation, "save", refuse)
    notes = Notes()
    assert evaluate(run, events=notes) == expected
    (line,) = [line for line in notes.lines if "not stored" in line]
    assert "evaluation-test.npz: it may not be read or written" in line
