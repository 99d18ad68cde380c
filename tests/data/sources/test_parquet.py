"""Parquet files whose few bytes stand for many."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from prism_rec.data.sources import parquet
from prism_rec.data.sources.files import scan_table
from prism_rec.data.sources.parquet import check_parquet
from prism_rec.errors import DataError
from prism_rec.features.vectors_file import read_vectors_file


@pytest.fixture(autouse=True)
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MOST_UNPACKED", 2**20)


@pytest.mark.parametrize(
    "column",
    [np.zeros(10**6, "i8"), [["x"] * 10**6], ["x" * 2**22], pl.repeat("x" * 9, 10**6, eager=True)],
    ids=["equal numbers", "one long list", "one long text", "equal texts"],
)
def test_bombs_are_refused_before_they_are_read(tmp_path: Path, column: object) -> None:
    path = tmp_path / "bomb.parquet"
    pl.DataFrame({"item_id": column}).write_parquet(path)
    with pytest.raises(DataError, match=r"bomb\.parquet unpacks to .* MiB, more than 100 times its size"):
        scan_table(path)
    with pytest.raises(DataError, match="more than 100 times its size"):
        read_vectors_file(str(path))


@pytest.mark.parametrize("writer", ["polars", "pyarrow"])
def test_real_tables_pass_with_their_true_size(tmp_path: Path, writer: str) -> None:
    path, numbers = tmp_path / "t.parquet", np.random.default_rng(0).normal(size=50_000)
    frame = pl.DataFrame({"a": numbers, "b": [[1, 2], None] * 25_000, "c": ["x", None] * 25_000})
    frame.write_parquet(path) if writer == "polars" else pq.write_table(pa.table(frame.to_arrow()), path)
    check_parquet(path)
    size = sum(max(size, values) for _, values, size in parquet._columns(parquet._footer(path)))
    assert size > 400_000
    assert scan_table(path).collect().height == 50_000


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 40 + b"\x28\0\0\0PAR1", b"x" * 50])
def test_what_is_no_parquet_is_left_to_the_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    check_parquet(path)


@pytest.mark.parametrize(
    "given",
    [torch.zeros(1).expand(4000, 4000), torch.eye(4000).to_sparse()],
    ids=["expanded", "sparse"],
)
def test_tensors_that_are_larger_than_their_file_are_refused(tmp_path: Path, given: torch.Tensor) -> None:
    torch.save(given, tmp_path / "v.pt")
    with pytest.raises(DataError, match=r"v\.pt unpacks to .* MiB, more than 100 times its size"):
        read_vectors_file(str(tmp_path / "v.pt"))


def test_vectors_are_read_some_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prism_rec.features.vectors_file._ROWS", 3)
    path, ids, matrix = (
        tmp_path / "v.parquet",
        [f"i{row}" for row in range(8)],
        np.random.default_rng(0).normal(size=(8, 2)),
    )
    pl.DataFrame({"item_id": ids, "v": matrix}).write_parquet(path)
    found, names, _ = read_vectors_file(str(path))
    np.testing.assert_array_equal(found, matrix)
    assert names.to_list() == ids
    lists = [[1.0, 2.0]] * 6 + [[1.0]] * 2
    pl.DataFrame({"item_id": ids, "v": lists}).write_parquet(path)
    with pytest.raises(DataError, match=r"v\.parquet, rows after 6: 1 numbers, and row 1 has 2"):
        read_vectors_file(str(path))
    pl.DataFrame({"item_id": [*ids[:5], None, "x", "y"], "v": matrix}).write_parquet(path)
    with pytest.raises(DataError, match="rows after 3, row 3: no item_id"):
        read_vectors_file(str(path))
