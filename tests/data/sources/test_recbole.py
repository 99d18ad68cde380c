from pathlib import Path

import pytest

from prism_rec.data.sources import RecBole
from prism_rec.errors import InputError

INTER = (
    'user_id:token\titem_id:token\trating:float\ttimestamp:float\nu\t007\t4\t8.8e8\nu\t"7\t5.0\t881250949\n'
)
ITEM = 'item_id:token\ttitle:token_seq\tyear:float\n007\tA "film"\t1995\n8\tB\t\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "ml.inter").write_text(INTER)
    (folder / "ml.item").write_text(ITEM)
    return folder


def test_reads_interactions_and_what_lies_beside_them(folder: Path) -> None:
    (folder / "ml.user").write_text("user_id:token\tage:float\nu\t24\n")
    source = RecBole(interactions=folder)
    log = source.read()
    assert log.events.rows() == [("u", "007", 8.8e8, 4.0), ("u", '"7', 881250949.0, 5.0)]
    assert log.items is not None
    assert log.items.rows() == [("007", 'A "film"', 1995.0), ("8", "B", None)]
    assert log.users is not None
    assert log.users.rows() == [("u", 24.0)]
    assert log.time == "absolute"
    assert source.files() == tuple(folder / f"ml.{kind}" for kind in ("inter", "item", "user"))


def test_files_may_be_named_and_columns_too(folder: Path) -> None:
    (folder / "other.item").write_text(ITEM.replace("item_id", "movie"))
    (folder / "ml.inter").write_text(INTER.replace("item_id", "movie"))
    inter, columns = folder / "ml.inter", {"item": "movie"}
    log = RecBole(interactions=inter, items=folder / "other.item", columns=columns, time="relative").read()
    assert log.events["item_id"].to_list() == ["007", '"7']
    assert log.items is not None
    assert (log.items.columns[0], log.time) == ("item_id", "relative")
    assert RecBole(interactions=inter, columns=columns).read().items is None


def test_without_times_the_rows_are_in_order(folder: Path) -> None:
    (folder / "ml.inter").write_text("user_id:token\titem_id:token\nu\tb\nu\ta\n")
    log = RecBole(interactions=folder).read()
    assert (log.time, log.events["timestamp"].to_list()) == ("order", [0, 1])


def test_wrong_folders_and_files_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"none\.inter: no such file"):
        RecBole(interactions=folder / "none.inter").read()
    (folder / "ml.inter").write_text("user_id:token\titem_id:token\nu\tb\n")
    with pytest.raises(
        InputError, match=r"has no column 'timestamp' .*the name of the timestamp column in `columns`"
    ):
        RecBole(interactions=folder, time="absolute").read()
    (folder / "more.inter").write_text(INTER)
    with pytest.raises(InputError, match=r"should have one \.inter file \(found: ml\.inter, more\.inter\)"):
        RecBole(interactions=folder).read()
    with pytest.raises(InputError, match=r"should have one \.inter file \(found: none\)"):
        RecBole(interactions=folder.parent).read()
