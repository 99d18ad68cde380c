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


def test_the_name_of_the_column_may_be_above_the_ids(tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("user_id\r\nu1\r\n\r\nu2\r\n")
    assert read_ids(tmp_path / "users.txt", "user_id") == ["u1", "u2"]


@pytest.mark.parametrize("user", ['{"$oid": "abc"}', "null", "1.5", "[1]", "true", '""'])
def test_what_is_no_id_is_refused(tmp_path: Path, user: str) -> None:
    path = tmp_path / "users.jsonl"
    path.write_text(f'{{"user_id": {user}, "history": ["a"]}}\n')
    for read in (lambda: read_ids(path, "user_id"), lambda: read_histories(path)):
        with pytest.raises(DataError, match=r"users\.jsonl.*user_id.*(give ids as text|add it or remove)"):
            read()


@pytest.mark.parametrize("item", ['{"id": "a"}', "1.5", "true"])
def test_items_that_are_no_ids_are_refused(tmp_path: Path, item: str) -> None:
    path = tmp_path / "histories.jsonl"
    path.write_text(f'{{"history": [{item}]}}\n')
    with pytest.raises(
        DataError, match="column 'history' has the type .*; give ids as text or whole numbers"
    ):
        read_histories(path)
