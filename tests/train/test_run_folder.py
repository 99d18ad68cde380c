"""What a run's folder may hold before it, and what is noticed of it afterwards."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.train import RunConfig, load_run, train_run

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
    with pytest.raises(InputError, match="no run was begun there; name another folder"):
        train_run(make_dataset(), CONFIG, tmp_path, resume=True, device="cpu")
    assert (tmp_path / left).read_text() == "precious"
    assert not (tmp_path / "config.json").exists()


def test_a_file_in_the_place_of_the_folder_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="run is not empty"):
        train_run(make_dataset(), CONFIG, tmp_path / "run", resume=True, device="cpu")


def test_a_run_killed_while_its_data_was_written_goes_on(tmp_path: Path) -> None:
    train_run(make_dataset(), CONFIG, tmp_path, device="cpu")
    for name in ("manifest.json", "data/manifest.json", "data/items.parquet"):
        (tmp_path / name).unlink()
    run = train_run(make_dataset(), CONFIG, tmp_path, resume=True, device="cpu")
    assert load_run(tmp_path, "cpu").dataset.items.equals(run.dataset.items)


def test_the_same_events_of_other_users_are_other_data(tmp_path: Path) -> None:
    train_run(make_dataset(), CONFIG, tmp_path, device="cpu")
    with pytest.raises(InputError, match="begun on other data"):
        train_run(make_dataset("v"), CONFIG, tmp_path, resume=True, device="cpu")


def test_changed_weights_are_never_taken(tmp_path: Path) -> None:
    train_run(make_dataset(), CONFIG, tmp_path, device="cpu")
    weights = tmp_path / "best.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"best\.safetensors was changed after it was written; train again"):
        load_run(tmp_path, "cpu")


@pytest.mark.parametrize("objective", ["cross_entropy", "bce", "indirec"])
def test_data_without_a_pair_to_learn_from_is_refused(tmp_path: Path, objective: str) -> None:
    config = RunConfig.parse({**CONFIG.model_dump(), "objective": {"kind": objective}})
    with pytest.raises(InputError, match="no training history has two items"):
        train_run(make_dataset(events=3), config, tmp_path / objective, device="cpu")


def test_the_manifest_counts_all_epochs(tmp_path: Path) -> None:
    train_run(make_dataset(), CONFIG, tmp_path, device="cpu")
    epochs = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    seconds = json.loads((tmp_path / "manifest.json").read_text())["seconds"]
    assert seconds == pytest.approx(sum(epoch["seconds"] for epoch in epochs), abs=1e-3)
