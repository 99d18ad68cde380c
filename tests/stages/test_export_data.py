from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.data.exports import RecBoleFiles
from prism_rec.errors import DamagedError, FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.folders import require_folder
from prism_rec.stages.export_data import ExportData, export_data


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    log = pl.DataFrame({"user_id": ["a"] * 3, "item_id": ["1", "2", "3"], "timestamp": [1, 2, 3]})
    Dataset.from_frame(log).save(tmp_path / "data")
    return tmp_path / "data"


def test_files_are_listed_and_recorded(data: Path) -> None:
    out = data.parent / "set"
    files = export_data(ExportData(data=data, format=RecBoleFiles()), out)
    assert files == [out / f"set.{kind}" for kind in ("inter", "item", "user")]
    manifest = require_folder(out, "export-data")
    assert manifest["config"] == {"format": {"kind": "recbole"}}
    assert manifest["counts"] == {"users": 1, "items": 3, "interactions": 3}


def test_an_export_is_done_once_per_dataset_and_format(data: Path) -> None:
    notes, out = Notes(), data.parent / "set"
    recbole = ExportData.parse({"data": data, "format": "recbole"})
    mmrec = ExportData.parse({"data": data, "format": "mmrec"})
    for settings in (recbole, recbole):
        export_data(settings, out, notes)
    with pytest.raises(FolderError, match=r"other settings \(format\); .* with `replace`"):
        export_data(mmrec, out, notes)
    export_data(mmrec, out, notes, replace=True)
    assert not (out / "set.item").exists(), "a file of the earlier export"
    assert notes.lines == [
        f"export-data: {out}",
        "export-data: done before",
        f"export-data: {out} is replaced: other settings (format)",
    ]
    assert "i_id_mapping.csv" in require_folder(out, "export-data")["files"]


def test_what_a_format_has_no_place_for_is_named(data: Path) -> None:
    log = pl.DataFrame({"user_id": ["a"] * 9, "item_id": [*"123456789"], "timestamp": range(9)})
    features = {"text": (np.eye(9), [*"123456789"])}
    Dataset.from_frame(log, features=features, split="temporal").save(data.parent / "temporal")
    for kind, told in {"recbole": ["vectors: those of text", "split: temporal"], "mmrec": []}.items():
        notes = Notes()
        settings = ExportData.parse({"data": data.parent / "temporal", "format": kind})
        export_data(settings, data.parent / kind, notes)
        assert len(notes.lines) == 1 + len(told)
        for line, what in zip(notes.lines[1:], told, strict=True):
            assert line.startswith(f"note: the format {kind} has no {what}")


def test_a_file_of_others_is_not_overwritten(data: Path) -> None:
    out = data.parent / "set"
    export_data(ExportData(data=data, format=RecBoleFiles()), out)
    (out / "i_id_mapping.csv").write_text("precious")
    with pytest.raises(FolderError, match=r"i_id_mapping.csv was not written by export-data; move it"):
        export_data(ExportData.parse({"data": data, "format": "mmrec"}), out, replace=True)
    assert (out / "i_id_mapping.csv").read_text() == "precious"


def test_wrong_folders_and_formats_are_refused(data: Path) -> None:
    with pytest.raises(FolderError, match="is the input"):
        export_data(ExportData(data=data, format=RecBoleFiles()), data)
    with pytest.raises(SettingsError, match=r"format\.kind: there is no 'csv'; choose one of recbole, mmrec"):
        ExportData.parse({"data": data, "format": "csv"}, "")
    (data / "items.parquet").unlink()
    with pytest.raises(DamagedError):
        export_data(ExportData(data=data, format=RecBoleFiles()), data.parent / "set")
    assert not (data.parent / "set").exists()
