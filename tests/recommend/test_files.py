from pathlib import Path

import polars as pl
import pytest

from prism_rec.errors import DataError
from prism_rec.recommend.files import read_histories, read_ids


def test_histories_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "asked.csv").write_text('user_id,history\nu,"a, b"\nv,\nw,"""a, b"",c"\n')
    assert read_histories(tmp_path / "asked.csv") == {"u": ["a", "b"], "v": [], "w": ["a, b", "c"]}


@pytest.mark.parametrize("history", ["a,,b", ",a", "a,"])
def test_an_empty_id_is_refused(tmp_path: Path, history: str) -> None:
    pl.DataFrame({"history": ["a", history]}).write_csv(tmp_path / "asked.csv")
    with pytest.raises(DataError, match=r"asked\.csv, row 2: an id of the history is empty; remove it"):
        read_histories(tmp_path / "asked.csv")
    pl.DataFrame({"history": [["a"], ["b", None]]}).write_parquet(tmp_path / "asked.parquet")
    with pytest.raises(DataError, match="row 2: an id of the history is empty"):
        read_histories(tmp_path / "asked.parquet")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ids.npy").write_bytes(b"\x93NUMPY\xff")
    with pytest.raises(DataError, match=r"ids\.npy is not UTF-8; give a text file"):
        read_ids(tmp_path / "ids.npy", "item_id")
