import json
from pathlib import Path

import numpy as np
import pytest

from prism_rec.data import Cleaning, Dataset, Temporal
from prism_rec.data.sources import MovieLens, Table, Yelp
from prism_rec.errors import FolderError, InputError
from prism_rec.events import Events
from prism_rec.records import write_record
from prism_rec.stages.prepare import Prepare, prepare


class Heard(Events):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []

    def begin(self, task: str, total: int | None = None) -> None:
        self.begun.append(task)

    def end(self, task: str) -> None:
        self.ended.append(task)

    def note(self, line: str) -> None:
        self.notes.append(line)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    rows = [f"u{user},i{item},{10 * item + user}" for user in range(3) for item in range(4)]
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows) + "\n")
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},Item {n}\n" for n in range(9)))
    np.save(tmp_path / "image.npy", np.eye(4, dtype=np.float32)[::-1])
    (tmp_path / "image.ids.txt").write_text("i3\ni2\ni1\ni8\n")
    return tmp_path


def settings(raw: Path, **changes: object) -> Prepare:
    source = Table(interactions=raw / "log.csv", items=raw / "items.csv")
    return Prepare.parse({"source": source, "features": {"image": str(raw / "image.npy")}, **changes})


def test_vectors_are_reduced_as_wanted_and_the_map_is_in_the_folder(raw: Path) -> None:
    made = prepare(settings(raw, vectors={"axes": 1, "whiten": True}), raw / "data")
    loaded = Dataset.load(raw / "data")
    assert loaded.features["image"].width == 1
    assert loaded.maps["image"].equals(made.maps["image"])
    assert any("feature image: 1 principal axes of 4, whitened" in note for note in loaded.notes)
    with pytest.raises(InputError, match="other settings"):
        prepare(settings(raw, vectors={"axes": 2, "whiten": True}), raw / "data")


def test_makes_a_folder_of_everything(raw: Path) -> None:
    rule = Temporal(quantiles=(0.4, 0.7))
    made = prepare(settings(raw, cleaning={"core": 2}, split=rule), raw / "data")
    loaded = Dataset.load(raw / "data")
    assert loaded.interactions.equals(made.interactions)
    assert loaded.items["title"].to_list() == ["Item 0", "Item 1", "Item 2", "Item 3"]
    np.testing.assert_array_equal(loaded.features["image"].vectors[2:], np.eye(4)[1:4])
    assert (loaded.rule, loaded.cleaning) == (rule, Cleaning(core=2))
    manifest = json.loads((raw / "data/manifest.json").read_text())
    assert [name.split("/")[1] for name in manifest["inputs"]] == [
        "log.csv",
        "items.csv",
        "image.npy",
        "image.ids.txt",
    ]
    assert manifest["config"]["source"] == {
        "kind": "table",
        "interactions": ["log.csv"],
        "items": "items.csv",
        "columns": {},
        "time": "absolute",
        **dict.fromkeys(("validation", "test", "time_unit", "separator", "encoding", "header")),
    }
    assert "| modality image | width 4, 3 items (75.0%) |" in (raw / "data/card.md").read_text()
    assert "<title>Dataset card</title>" in (raw / "data/card.html").read_text()


def test_equal_input_gives_equal_bytes(raw: Path) -> None:
    for name in ("one", "two"):
        prepare(settings(raw), raw / name)
    for file in ("manifest.json", "card.md", "card.html"):
        assert (raw / "one" / file).read_bytes() == (raw / "two" / file).read_bytes()


def test_what_was_done_before_is_not_done_again(raw: Path) -> None:
    heard = Heard()
    prepare(settings(raw), raw / "data", heard)
    assert heard.notes[0] == f"prepare: {raw / 'data'}"
    assert heard.notes[1].startswith(
        "note: 5 items of the log or the catalogue have too few events for a place"
    )
    heard.notes.clear()
    assert heard.begun == heard.ended == ["reading log.csv"]
    (raw / "items.csv").touch()
    prepare(settings(raw), raw / "data", heard)
    assert heard.notes == ["prepare: done before"]
    with pytest.raises(FolderError, match=r"other settings \(cleaning\); .* with `replace`"):
        prepare(settings(raw, cleaning={"core": 2}), raw / "data", heard)
    prepare(settings(raw, cleaning={"core": 2}), raw / "data", heard, replace=True)
    (raw / "items.csv").write_text("item_id,title\ni1,Other\ni8,Unused\n")
    prepare(settings(raw, cleaning={"core": 2}), raw / "data", heard)
    replaced = f"prepare: {raw / 'data'} is replaced: other"
    notes = [line for line in heard.notes[1:] if not line.startswith("note: ")]
    assert notes == [f"{replaced} settings (cleaning)", f"{replaced} input files (items.csv)"]
    assert Dataset.load(raw / "data").items["title"].to_list() == [None, "Other", None, None]


def test_wrong_input_leaves_an_earlier_dataset_whole(raw: Path) -> None:
    prepare(settings(raw), raw / "data")
    (raw / "log.csv").write_text("user_id,item_id,timestamp\nu,i,soon\n")
    with pytest.raises(InputError, match="'soon'"):
        prepare(settings(raw), raw / "data")
    assert len(Dataset.load(raw / "data").interactions) == 12


@pytest.mark.parametrize(
    "changes",
    [
        {"source": MovieLens(folder=Path("nowhere"))},
        {"source": Yelp(reviews=Path("nowhere"))},
        {"features": {"image": "none.npy"}},
        {"features": {"../x": "x"}},
        {"cleaning": {"core": 9}},
    ],
)
def test_wrong_input_makes_no_folder(raw: Path, changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        prepare(settings(raw, **changes), raw / "data")
    assert not (raw / "data").exists()


def test_a_folder_of_another_stage_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_record(tmp_path / "out/manifest.json", {"stage": "embed", "files": {}})
    with pytest.raises(FolderError, match="another stage's output"):
        prepare(Prepare(source=Table(interactions=tmp_path / "none.csv")), tmp_path / "out")


def test_the_log_is_never_replaced(raw: Path) -> None:
    (raw / "data").mkdir()
    log = (raw / "log.csv").rename(raw / "data/interactions.csv")
    content = log.read_text()
    with pytest.raises(FolderError, match=r"has the input .*interactions.csv; name another folder"):
        prepare(Prepare(source=Table(interactions=log)), raw / "data", replace=True)
    assert [path.name for path in (raw / "data").iterdir()] == [log.name]
    assert log.read_text() == content


@pytest.mark.parametrize("name", ["interactions.parquet", "features/image.npy", "card.md", "steps.json"])
def test_a_damaged_dataset_is_healed_by_preparing_again(raw: Path, name: str) -> None:
    before = prepare(settings(raw), raw / "data")
    content = bytearray((raw / "data" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (raw / "data" / name).write_bytes(content)
    after = prepare(settings(raw), raw / "data", replace=name == "steps.json")
    assert after.interactions.equals(before.interactions)
    assert (raw / "data" / name).read_bytes() != content


def test_an_unknown_source_names_the_known() -> None:
    with pytest.raises(
        InputError, match=r"source\.kind: there is no 'csv'; choose one of table, movielens, text"
    ):
        Prepare.parse({"source": {"kind": "csv"}}, "prepare")


def test_a_path_is_the_same_however_it_is_written(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(settings(raw), raw / "data")
    monkeypatch.chdir(raw)
    heard = Heard()
    prepare(settings(Path(), features={"image": "./image.npy:image.ids.txt"}), Path("data"), heard)
    assert heard.notes == ["prepare: done before"]
