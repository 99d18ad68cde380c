import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.folders import begin_folder
from prism_rec.records import MANIFEST
from prism_rec.runs.shared_data import SharedData, fingerprint


def make(folder: Path, items: int) -> Path:
    log = pl.DataFrame(
        {
            "user_id": [f"u{user}" for user in range(4) for _ in range(items)],
            "item_id": [f"i{item}" for _ in range(4) for item in range(items)],
            "timestamp": list(range(4 * items)),
        }
    )
    features = {"text": (np.eye(items, dtype=np.float32), [f"i{item}" for item in range(items)])}
    Dataset.from_frame(log, features=features, time="order").save(folder)
    return folder


def files(folder: Path) -> dict[str, int]:
    """Return the inode of each file."""
    return {str(path.relative_to(folder)): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_runs_share_files_that_outlive_the_original_and_the_pool(tmp_path: Path) -> None:
    dataset, pool = make(tmp_path / "dataset", 5), tmp_path / "out" / "data"
    expected = fingerprint(dataset)
    for run in ("one", "two"):
        SharedData(dataset, pool).link(tmp_path / "out" / run / "data")
    one, two = files(tmp_path / "out/one/data"), files(tmp_path / "out/two/data")
    assert {**one, MANIFEST: 0} == {**two, MANIFEST: 0}
    assert not set(one.values()) & set(files(dataset).values())  # another `prepare` may write over those
    make(dataset, 6)
    shutil.rmtree(pool)
    assert fingerprint(tmp_path / "out/two/data") == expected
    assert Dataset.load(tmp_path / "out/two/data").number_of_items == 5


def test_other_data_gets_another_copy_and_what_is_finished_is_left_alone(tmp_path: Path) -> None:
    dataset, pool = make(tmp_path / "dataset", 5), tmp_path / "data"
    SharedData(dataset, pool).link(tmp_path / "one")
    make(dataset, 6)
    SharedData(dataset, pool).link(tmp_path / "two")
    SharedData(dataset, pool).link(tmp_path / "one")
    assert [Dataset.load(tmp_path / run).number_of_items for run in ("one", "two")] == [5, 6]


def test_what_a_kill_left_behind_is_replaced(tmp_path: Path) -> None:
    dataset = make(tmp_path / "dataset", 5)
    begin_folder(tmp_path / "data", "prepare", ["interactions.parquet"])
    (tmp_path / "data" / "interactions.parquet").write_text("a part")
    SharedData(dataset, tmp_path / "pool").link(tmp_path / "data")
    assert fingerprint(tmp_path / "data") == fingerprint(dataset)


def test_an_unfinished_copy_is_made_again(tmp_path: Path) -> None:
    dataset, pool = make(tmp_path / "dataset", 5), tmp_path / "pool"
    SharedData(dataset, pool).link(tmp_path / "one")
    (copy,) = (path for path in pool.iterdir() if path.is_dir())
    shutil.rmtree(tmp_path / "one")
    begin_folder(copy, "prepare")
    (copy / "items.parquet").write_text("a part")
    SharedData(dataset, pool).link(tmp_path / "two")
    assert fingerprint(tmp_path / "two") == fingerprint(dataset)


@pytest.mark.parametrize("name", ["items.parquet", "manifest.json"])
def test_a_damaged_copy_is_made_again(tmp_path: Path, name: str) -> None:
    dataset, pool = make(tmp_path / "dataset", 5), tmp_path / "pool"
    SharedData(dataset, pool).link(tmp_path / "one")
    (copy,) = (path for path in pool.iterdir() if path.is_dir())
    content = bytearray((copy / name).read_bytes())
    content[0] ^= 1
    (copy / name).write_bytes(content)
    SharedData(dataset, pool).link(tmp_path / "two")
    assert Dataset.load(tmp_path / "two").number_of_items == 5


def test_without_hard_links_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    dataset = make(tmp_path / "dataset", 5)
    for run in ("one", "two"):
        SharedData(dataset, tmp_path / "pool").link(tmp_path / run)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two") == fingerprint(dataset)
    assert not set(files(tmp_path / "one").values()) & set(files(tmp_path / "two").values())


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run prepare again|no such folder"):
        SharedData(tmp_path / "nothing", tmp_path / "pool").link(tmp_path / "one")
    assert not (tmp_path / "one").exists()
