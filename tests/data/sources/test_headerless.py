from pathlib import Path

import pytest

from prism_rec.data import RawLog
from prism_rec.data.sources import MovieLens, Table
from prism_rec.errors import InputError

TIME = 1_400_000_000


def amazon(swapped: bool = False, count: int = 6) -> str:
    rows = [(f"A{user}0000000000", f"B00{user}00000{user}", "5.0", str(TIME + user)) for user in range(count)]
    order = (1, 0, 2, 3) if swapped else (0, 1, 2, 3)
    return "".join(",".join(row[place] for place in order) + "\n" for row in rows)


def read(path: Path, text: str, **settings: object) -> RawLog:
    path.write_text(text)
    return Table.parse({"interactions": path, **settings}).read()


@pytest.mark.parametrize("swapped", [False, True], ids=["2014", "2018"])
def test_amazons_ratings_keep_their_first_row_and_the_order_of_their_ids(
    tmp_path: Path, swapped: bool
) -> None:
    log = read(tmp_path / "ratings_Beauty.csv", amazon(swapped))
    assert log.events.row(0) == ("A00000000000", "B000000000", TIME, 5.0)
    assert len(log.events) == 6
    assert "`columns` are taken to be " + ("user=2, item=1" if swapped else "user=1, item=2") in log.notes[0]


@pytest.mark.parametrize(
    "columns",
    [
        {"user": "1", "item": "2", "rating": "3", "timestamp": "4"},
        {"user": "A00000000000", "item": "B000000000", "rating": "5.0", "timestamp": str(TIME)},
    ],
    ids=["places", "values of the first row"],
)
def test_columns_without_names_are_given_by_place(tmp_path: Path, columns: dict[str, str]) -> None:
    log = read(tmp_path / "r.csv", amazon(), columns=columns)
    assert len(log.events) == 6
    assert log.events.row(0) == ("A00000000000", "B000000000", TIME, 5.0)
    assert (log.notes == ()) == (columns["user"] == "1")


@pytest.mark.parametrize("name", ["u.data", "u.txt", "u.tsv", "u.csv"])
def test_tabs_without_a_header(tmp_path: Path, name: str) -> None:
    log = read(tmp_path / name, "".join(f"{u}\t{u + 9}\t4\t{TIME}\n" for u in range(3)))
    assert log.events.rows() == [(f"{u}", f"{u + 9}", TIME, 4.0) for u in range(3)]


def test_three_columns_are_user_item_and_time(tmp_path: Path) -> None:
    assert read(tmp_path / "x.csv", f"a,b,{TIME}\nc,d,{TIME}\n").events.rows() == [
        ("a", "b", TIME),
        ("c", "d", TIME),
    ]


@pytest.mark.parametrize("text", ["a,b,5\n", "a,5\n", "a,b,c,5,7\n", "a,b,5.0,7\n", "1,2,word,1400000000\n"])
def test_what_is_not_clear_is_asked(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        InputError, match=r"no line with the names of the columns .*`columns`, as in user=1, item=2"
    ):
        read(tmp_path / "x.csv", text * 2)
    with pytest.raises(InputError, match="no column 'user'; give places in `columns`, from 1 to"):
        read(tmp_path / "x.csv", text * 2, columns={"user": "user", "item": "2"})


def test_the_setting_decides(tmp_path: Path) -> None:
    columns = {"user": "1", "item": "2"}
    log = read(tmp_path / "x.csv", "a,b\nc,d\n", columns=columns, time="order", header=False)
    assert log.events["user_id"].to_list() == ["a", "c"]
    names = {"user": "2010", "item": "2011", "timestamp": "2012"}
    log = read(tmp_path / "y.csv", "2010,2011,2012\na,b,3\n", columns=names, header=True)
    assert log.events.rows() == [("a", "b", 3)]
    pandas = {"user": "0", "item": "1", "timestamp": "2"}
    assert len(read(tmp_path / "z.csv", "0,1,2\na,b,3\n", columns=pandas).events) == 1


def test_a_table_of_items_needs_names(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("7,Lamp,3.5\n")
    with pytest.raises(
        InputError, match=r"items\.csv has no line with the names .*add one, such as item_id,title"
    ):
        read(tmp_path / "log.csv", "user_id,item_id,timestamp\na,7,1\n", items=tmp_path / "items.csv")


def test_movielens_100k(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text(f"196\t242\t3\t{TIME}\n186\t302\t4\t{TIME + 1}\n")
    flags = "|".join("1" if place in (1, 5) else "0" for place in range(19))
    none = "|".join("1" if place == 0 else "0" for place in range(19))
    films = f"242|Léon (1994)|01-Jan-1994||http://x|{flags}\n302|Other|||http://y|{none}\n"
    (tmp_path / "u.item").write_bytes(films.encode("latin-1"))
    log = MovieLens(folder=tmp_path).read()
    assert log.events.rows() == [("196", "242", TIME, 3.0), ("186", "302", TIME + 1, 4.0)]
    assert log.items is not None
    assert log.items.rows() == [("242", "Léon (1994)", "Action, Comedy"), ("302", "Other", None)]
