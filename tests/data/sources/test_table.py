import gzip
from pathlib import Path

import polars as pl
import pytest

from prism_rec.data.sources import Table
from prism_rec.errors import InputError

TEXT = 'user_id,item_id,timestamp,review\r\n007,"a,b",3,"two\nlines"\r\n007,NA,4,\r\n8,é,2018-09-24,x\r\n'
USERS, ITEMS = ["007", "007", "8"], ["a,b", "NA", "é"]


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log [1]*.csv", "LOG.CSV"])
def test_csv_ids_are_read_as_text(tmp_path: Path, name: str) -> None:
    log = Table(interactions=write(tmp_path / name, "\ufeff" + TEXT)).read()
    assert log.events["user_id"].to_list() == USERS
    assert log.events["item_id"].to_list() == ITEMS
    assert log.events["timestamp"].to_list() == [3, 4, 1537747200]
    assert (log.time, log.items) == ("absolute", None)


@pytest.mark.parametrize("name", ["log.tsv", "log.tsv.gz"])
def test_tsv(tmp_path: Path, name: str) -> None:
    text = "user_id\titem_id\ttimestamp\n007\ta,b\t1\n"
    assert Table(interactions=write(tmp_path / name, text)).read().events.row(0) == ("007", "a,b", 1)


def test_parquet_with_items_and_other_names(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": [7], "item": [8], "seconds": [0]})
    frame.write_parquet(tmp_path / "log.parquet")
    items = write(tmp_path / "items.csv", "title,item\nEight,8\n")
    names = {"user": "user", "item": "item", "timestamp": "seconds"}
    source = Table(interactions=tmp_path / "log.parquet", items=items, columns=names, time="relative")
    log = source.read()
    assert log.events.rows() == [("7", "8", 0)]
    assert log.items is not None
    assert log.items.rows() == [("8", "Eight")]
    assert (log.time, source.files()) == ("relative", (tmp_path / "log.parquet", items))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", b"", "log.csv is empty"),
        ("log.csv", b"user_id,item_id,timestamp\n", "log.csv is empty"),
        ("log.csv", b"user_id,item_id,timestamp\na,b,1,2\n", "log.csv cannot be read"),
        ("log.csv", b"user_id,item_id,timestamp\n\x00\xe9,b,1\n", "log.csv, line 2: not text"),
        ("log.csv", b"user_id,item_id,timestamp\na,,1\n", "log.csv, row 1: no item_id"),
        ("log.csv", b"user_id,item_id,timestamp\na,b,1\na,c,soon\n", "row 2: timestamp 'soon' is not a time"),
        (
            "log.csv",
            b"user,item_id,timestamp\na,b,1\n",
            "no column 'user_id' .found: user, item_id, timestamp",
        ),
        ("log.csv.gz", gzip.compress(TEXT.encode() * 100, mtime=0)[:-30], r"log\.csv\.gz cannot be read"),
        ("log.parquet", b"PAR1", r"log\.parquet cannot be read"),
        ("log.parquet", b"", r"log\.parquet"),
        ("log.xls", b"", r"log\.xls: unknown ending"),
        (
            "log.json.gz",
            b"{}",
            r"log\.json\.gz is not a table of CSV or Parquet; save it as one, or name the format of a log in `source`",
        ),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        Table(interactions=tmp_path / name).read()
    assert "\n" not in str(error.value)


def test_a_note_that_several_files_have_in_common_is_said_once(tmp_path: Path) -> None:
    rows = {
        "a.csv": "ann,x,1,view\nann,y,2,order\n",
        "b.csv": "bob,x,3,order\nbob,y,4,view\n",
        "c.csv": "bob,z,5,\n",
    }
    for name, lines in rows.items():
        write(tmp_path / name, f"user_id,item_id,timestamp,action\n{lines}")
    (note,) = Table(interactions=tmp_path).read().notes
    assert note.startswith("a.csv and 1 more: column 'action' looks like the type of an event (order, view)")
    assert str(tmp_path) not in note


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: no such file"):
        Table(interactions=tmp_path / "nothing.csv").read()
    with pytest.raises(InputError, match=r"has no file \.csv, .*; name the files"):
        Table(interactions=tmp_path).read()
