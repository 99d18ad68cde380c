from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from prism_rec.errors import InputError
from prism_rec.features.vectors_file import read_vectors_file

MATRIX = np.arange(6, dtype=np.float32).reshape(3, 2)
IDS = ["007", " é", "x"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "text.npy", MATRIX)
    save_file({"vectors": MATRIX, "other": MATRIX[:1]}, tmp_path / "tensors.safetensors")
    pl.DataFrame({"item_id": IDS, "vector": MATRIX}).write_parquet(tmp_path / "table.parquet")
    for name in ("text.ids.txt", "tensors.ids.txt", "names.txt"):
        (tmp_path / name).write_text("\r\n".join(IDS) + "\r\n", encoding="utf-8-sig", newline="")
    return tmp_path


@pytest.mark.parametrize(
    "given", ["text.npy", "tensors.safetensors", "table.parquet", "text.npy:{}/names.txt"]
)
def test_every_format_gives_matrix_and_ids(folder: Path, given: str) -> None:
    matrix, ids, files = read_vectors_file(str(folder / given.format(folder)))
    np.testing.assert_array_equal(matrix, MATRIX)
    assert ids.to_list() == IDS
    assert all(path.is_file() for path in files)
    assert len(files) == (1 if given == "table.parquet" else 2)


def test_an_empty_line_is_a_missing_id(folder: Path) -> None:
    (folder / "text.ids.txt").write_text("a\n\nc\n")
    assert read_vectors_file(str(folder / "text.npy"))[1].to_list() == ["a", None, "c"]


def test_missing_files_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.npy: no such file"):
        read_vectors_file(str(folder / "nothing.npy"))
    (folder / "text.ids.txt").unlink()
    with pytest.raises(
        InputError, match=r"text\.ids\.txt: no such file; it should have the ids of text\.npy"
    ):
        read_vectors_file(str(folder / "text.npy"))


@pytest.mark.parametrize("name", ["text.npy", "tensors.safetensors", "table.parquet"])
@pytest.mark.parametrize("kept", [0, 20, 120])
def test_a_file_cut_short_is_refused(folder: Path, name: str, kept: int) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"{name}.*(cannot be read|is empty)") as error:
        read_vectors_file(str(path))
    assert "\n" not in str(error.value)


def test_pickles_are_never_opened(folder: Path) -> None:
    np.save(folder / "text.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="has Python objects"):
        read_vectors_file(str(folder / "text.npy"))


def test_other_formats_and_other_tensors_are_refused(folder: Path) -> None:
    (folder / "text.csv").write_text("item_id,x\n1,2\n")
    with pytest.raises(InputError, match=r"text\.csv: unknown ending"):
        read_vectors_file(str(folder / "text.csv"))
    save_file({"weights": MATRIX}, folder / "tensors.safetensors")
    with pytest.raises(InputError, match="has weights; name its matrix 'vectors'"):
        read_vectors_file(str(folder / "tensors.safetensors"))


def test_ids_that_are_not_utf8_name_the_line(folder: Path) -> None:
    (folder / "text.ids.txt").write_bytes("a\né\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"text\.ids\.txt, line 2: not utf-8; save it as utf-8"):
        read_vectors_file(str(folder / "text.npy"))
