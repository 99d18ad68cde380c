import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_rec.data import Cleaning, Dataset, Temporal
from prism_rec.errors import InputError
from prism_rec.records import write_record

ODD_IDS = ["007", "7", " 7 ", "é", "e\u0301", "😀\u202e", "../../x", 'a,"b"\n', "null"]


def make(ids: list[str], **options: object) -> Dataset:
    log = pl.DataFrame(
        {
            "user_id": [user for user in ids[:3] for _ in ids],
            "item_id": ids * min(3, len(ids)),
            "timestamp": range(len(ids) * min(3, len(ids))),
        }
    )
    vectors = np.arange(len(ids) * 2, dtype=np.float32).reshape(-1, 2) + 1
    items = pl.DataFrame({"item_id": ids, "title": [f"<{item}>" for item in ids]})
    features = {"text": (vectors, ids), "image": (vectors[:1], ids[:1])}
    return Dataset.from_frame(log, items=items, features=features, **options)  # type: ignore[arg-type]


def same(one: Dataset, other: Dataset) -> bool:
    return (
        one.interactions.equals(other.interactions)
        and one.users.equals(other.users)
        and one.items.equals(other.items)
        and list(one.features) == list(other.features)
        and all(
            np.array_equal(getattr(one.features[name], part), getattr(other.features[name], part))
            for name in one.features
            for part in ("vectors", "present")
        )
        and all(
            np.array_equal(getattr(one.split, part), getattr(other.split, part))
            for part in ("train_end", "validation_at", "test_at")
        )
        and (one.rule, one.time, one.cleaning, one.dropped)
        == (other.rule, other.time, other.cleaning, other.dropped)
    )


@pytest.mark.parametrize(
    "split", ["leave-one-out", Temporal(quantiles=(0.3, 0.6)), Temporal(times=(3.5, 25))]
)
def test_what_is_loaded_is_what_was_saved(tmp_path: Path, split: object) -> None:
    dataset = make(ODD_IDS, split=split)
    dataset.save(tmp_path / "data")
    loaded = Dataset.load(tmp_path / "data")
    assert same(loaded, dataset)
    assert loaded.items["item_id"].to_list() == ODD_IDS


@given(
    st.lists(
        st.text(min_size=1, max_size=6).filter(lambda text: text.strip(" \t")),
        min_size=3,
        max_size=6,
        unique=True,
    )
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_unicode_id_comes_back_exactly(tmp_path: Path, ids: list[str]) -> None:
    dataset = make(ids)
    dataset.save(tmp_path / "data")
    loaded = Dataset.load(tmp_path / "data")
    assert same(loaded, dataset)
    assert loaded.items["item_id"].to_list() == ids


def test_the_manifest_tells_what_was_made_from_what(tmp_path: Path) -> None:
    raw = tmp_path / "log.csv"
    raw.write_text("x")
    make(ODD_IDS, core=2).save(tmp_path / "data", config={"source": "table"}, inputs=[raw])
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    assert manifest["config"] == {
        "cleaning": Cleaning(core=2).model_dump(mode="json"),
        "split": {"kind": "leave-one-out"},
        "source": "table",
    }
    assert manifest["counts"] == {"users": 3, "items": 9, "interactions": 27}
    assert manifest["features"] == ["text", "image"]
    assert [name.split("/")[1] for name in manifest["inputs"]] == ["log.csv"]
    assert str(tmp_path) not in json.dumps(manifest)


def test_a_dataset_is_replaced_and_anything_else_is_not(tmp_path: Path) -> None:
    make(ODD_IDS).save(tmp_path / "data")
    other = make(ODD_IDS[:4])
    other.save(tmp_path / "data")
    assert same(Dataset.load(tmp_path / "data"), other)
    (tmp_path / "run").mkdir()
    write_record(tmp_path / "run/manifest.json", {"stage": "train", "files": {}})
    with pytest.raises(InputError, match="another stage's output"):
        other.save(tmp_path / "run")


FILES = [
    "interactions.parquet",
    "users.parquet",
    "items.parquet",
    "splits.json",
    "features/text.npy",
    "features/image.present.npy",
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_missing_cut_or_changed_is_found(tmp_path: Path, name: str) -> None:
    make(ODD_IDS).save(tmp_path / "data")
    path = tmp_path / "data" / name
    whole = path.read_bytes()
    flipped = whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:]
    for content in (whole[:-1], b"", flipped):
        path.write_bytes(content)
        with pytest.raises(InputError, match="run prepare again"):
            Dataset.load(tmp_path / "data")
    path.unlink()
    with pytest.raises(InputError, match="missing"):
        Dataset.load(tmp_path / "data")


def test_an_unfinished_folder_is_never_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(ODD_IDS).save(tmp_path / "data")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", stop)
    with pytest.raises(KeyboardInterrupt):
        make(ODD_IDS).save(tmp_path / "data")
    with pytest.raises(InputError, match="never finished"):
        Dataset.load(tmp_path / "data")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features", ["../../text"]),
        ("features", ["audio"]),
        ("features", 7),
        ("config", {}),
        ("config", {"cleaning": {"core": "many"}}),
        ("files", {}),
        ("dropped", None),
        ("time", "someday"),
    ],
)
def test_a_manifest_changed_by_hand_is_refused(tmp_path: Path, key: str, value: object) -> None:
    make(ODD_IDS).save(tmp_path / "data")
    path = tmp_path / "data/manifest.json"
    manifest = json.loads(path.read_text())
    manifest[key] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError) as error:
        Dataset.load(tmp_path / "data")
    assert "\n" not in str(error.value)


def test_no_folder_and_no_dataset_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        Dataset.load(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        Dataset.load(tmp_path)
