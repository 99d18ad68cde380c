import json
from pathlib import Path

import numpy as np
import pytest

from prism_rec.data import Cleaning, Dataset, Temporal
from prism_rec.data.prepare import prepare
from prism_rec.errors import InputError


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    rows = [f"u{user},i{item},{10 * item + user}" for user in range(3) for item in range(4)]
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows) + "\n")
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},Item {n}\n" for n in range(9)))
    np.save(tmp_path / "image.npy", np.eye(4, dtype=np.float32)[::-1])
    (tmp_path / "image.ids.txt").write_text("i3\ni2\ni1\ni8\n")
    return tmp_path


def test_makes_a_folder_of_everything(raw: Path) -> None:
    made = prepare(
        "table",
        raw / "log.csv",
        raw / "data",
        items=raw / "items.csv",
        features={"image": str(raw / "image.npy")},
        cleaning=Cleaning(core=2),
        rule=Temporal(quantiles=(0.4, 0.7)),
    )
    loaded = Dataset.load(raw / "data")
    assert loaded.interactions.equals(made.interactions)
    assert loaded.items["title"].to_list() == ["Item 0", "Item 1", "Item 2", "Item 3"]
    np.testing.assert_array_equal(loaded.features["image"].vectors[2:], np.eye(4)[1:4])
    assert loaded.rule == Temporal(quantiles=(0.4, 0.7))
    manifest = json.loads((raw / "data/manifest.json").read_text())
    assert [name.split("/")[1] for name in manifest["inputs"]] == [
        "log.csv",
        "items.csv",
        "image.npy",
        "image.ids.txt",
    ]
    assert manifest["config"]["source"] == "table"


def test_equal_input_gives_equal_bytes(raw: Path) -> None:
    for name in ("one", "two"):
        prepare(
            "table",
            raw / "log.csv",
            raw / name,
            features={"image": str(raw / "image.npy")},
            items=raw / "items.csv",
        )
    assert (raw / "one/manifest.json").read_bytes() == (raw / "two/manifest.json").read_bytes()


def test_wrong_input_leaves_an_earlier_dataset_whole(raw: Path) -> None:
    prepare("table", raw / "log.csv", raw / "data")
    (raw / "log.csv").write_text("user_id,item_id,timestamp\nu,i,soon\n")
    with pytest.raises(InputError, match="'soon'"):
        prepare("table", raw / "log.csv", raw / "data")
    assert len(Dataset.load(raw / "data").interactions) == 12


def test_wrong_input_makes_no_folder(raw: Path) -> None:
    for source, features in (
        ("csv", {}),
        ("table", {"image": str(raw / "none.npy")}),
        ("table", {"../x": "x"}),
    ):
        with pytest.raises(InputError):
            prepare(source, raw / "log.csv", raw / "data", features=features)
    assert not (raw / "data").exists()


def test_a_folder_of_another_stage_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"stage": "embed", "files": {}}')
    with pytest.raises(InputError, match="another stage's output"):
        prepare("table", tmp_path / "none.csv", tmp_path)


def test_an_unknown_source_names_the_known() -> None:
    with pytest.raises(InputError, match="unknown source 'csv'; choose one of table, movielens, text"):
        prepare("csv", Path("log.csv"), Path("data"))
