import gzip
from pathlib import Path

import polars as pl
import pytest

from prism_rec.data import Dataset, RawLog
from prism_rec.data.sources import RecBole, Table, Text, decoding
from prism_rec.data.split import Given
from prism_rec.errors import InputError

ROWS = [("ü1", "i 1", "1400000000"), ("u2", "i2", "1400000001")]
HEADER = ("user_id", "item_id", "timestamp")
EVENTS = [("ü1", "i 1", 1400000000), ("u2", "i2", 1400000001)]


def text(separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in (HEADER, *ROWS))


def read(path: Path, content: str | bytes, **settings: object) -> RawLog:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Table.parse({"interactions": path, **settings}).read()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "::"])
@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.txt", "log.dat", "log.csv.gz"])
def test_the_first_line_shows_the_separator(tmp_path: Path, separator: str, name: str) -> None:
    content = text(separator).encode()
    log = read(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    assert (log.events.rows(), log.notes) == (EVENTS, ())


def test_spaces_separate_only_if_nothing_else_does(tmp_path: Path) -> None:
    content = "user_id  item_id timestamp\n u i   1400000000 \nv j 1400000001\n"
    assert read(tmp_path / "log.txt", content).events.rows() == [
        ("u", "i", 1400000000),
        ("v", "j", 1400000001),
    ]
    assert read(tmp_path / "log.csv", "user_id,item_id,timestamp\nu v,i j,1\n").events.rows() == [
        ("u v", "i j", 1)
    ]


def test_a_separator_may_be_given(tmp_path: Path) -> None:
    content = "user_id;a,b;item_id;timestamp\nu;1,5;i;1400000000\n"
    assert read(tmp_path / "log.csv", content, separator=";").events["item_id"].to_list() == ["i"]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_excel_names_the_separator_in_a_line_of_its_own(
    tmp_path: Path, line: str, end: str, encoding: str
) -> None:
    content = f"{line}\n{text(';')}".replace("\n", end)
    assert read(tmp_path / "log.csv", content.encode(encoding)).events.rows() == EVENTS


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_unicode_is_recognised(tmp_path: Path, encoding: str) -> None:
    marks = {"utf-16-le-bom": ("utf-16-le", b"\xff\xfe"), "utf-16-be-bom": ("utf-16-be", b"\xfe\xff")}
    codec, mark = marks.get(encoding, (encoding, b""))
    log = read(tmp_path / "log.csv", mark + text().encode(codec))
    assert (log.events.rows(), log.notes) == (EVENTS, ())


@pytest.mark.parametrize(("encoding", "guess"), [("latin-1", "cp1252"), ("cp1252", "cp1252")])
def test_other_encodings_are_guessed_with_a_note_or_given(tmp_path: Path, encoding: str, guess: str) -> None:
    log = read(tmp_path / "log.csv", text().encode(encoding))
    assert log.events.rows() == EVENTS
    assert log.notes == (
        f"log.csv, line 2: not UTF-8; the file is read as {guess}; give `encoding` if that is wrong",
    )
    given = read(tmp_path / "log.csv", text().encode(encoding), encoding=encoding)
    assert (given.events.rows(), given.notes) == (EVENTS, ())
    with pytest.raises(InputError, match="line 2: not ascii; save it as ascii, or give the encoding"):
        read(tmp_path / "log.csv", text().encode(encoding), encoding="ascii")
    with pytest.raises(InputError, match="there is no encoding 'klingon'"):
        read(tmp_path / "log.csv", text(), encoding="klingon")


def test_lines_of_items_in_latin_1(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes("ü é b\n".encode("latin-1"))
    log = Text(interactions=tmp_path / "log.txt").read()  # type: ignore[arg-type]
    assert log.events["item_id"].to_list() == ["é", "b"]
    assert "read as cp1252" in log.notes[0]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MOST_UNPACKED", 2**20)
    bomb = gzip.compress(text().encode() + b"x,y,1\n" * 10**6)
    with pytest.raises(InputError, match="unpacks to more than 100 times its size"):
        read(tmp_path / "log.csv.gz", bomb)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text().encode("utf-16-le"), "line 1: not text, or UTF-16 without a mark"),
        (text().replace("\n", "\r").encode(), "lines end with a carriage return only"),
        (text().replace("\n", "\n\n").encode(), "row 1: no user_id; add it or remove the row"),
        (text().encode() + b"u1\n", "row 3: no item_id"),
    ],
    ids=["no mark", "returns", "empty lines", "short row"],
)
def test_files_of_other_forms_are_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        read(tmp_path / "log.csv", content)
    assert "\n" not in str(told.value)


def test_a_known_encoding_without_a_mark_may_be_given(tmp_path: Path) -> None:
    log = read(tmp_path / "log.csv", text().encode("utf-16-le"), encoding="utf-16-le")
    assert log.events["user_id"].to_list() == ["ü1", "u2"]


@pytest.mark.parametrize("user", ["nan", "None", "null", "NA", "007", "it's", " u", "u ", "5e3", "ü"])
def test_ids_that_look_like_something_else_stay(tmp_path: Path, user: str) -> None:
    assert read(tmp_path / "log.csv", text() + f"{user},i,1400000002\n").events["user_id"][-1] == user


def test_a_file_that_is_packed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.csv\.gz is packed twice; unpack it once"):
        read(tmp_path / "log.csv.gz", gzip.compress(gzip.compress(text().encode())))


def test_a_row_with_more_fields_is_refused_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"log\.csv cannot be read \(a row has more fields .*; put texts .* in double"
    ):
        read(tmp_path / "log.csv", text() + "u,i,1400000000,more\n")


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b", "\x1c"], ids=ascii)
def test_only_line_feeds_end_the_first_line(tmp_path: Path, mark: str) -> None:
    log = read(tmp_path / "log.csv", f"a{mark}b,user_id,item_id,timestamp\nx,u,i,1400000000\n")
    assert log.events.rows() == [("u", "i", 1400000000)]
    (tmp_path / "x.inter").write_text(
        f"user_id:token\titem_id:token\ta{mark}b:token\ttimestamp:float\nu\ti\tx\t1\n", encoding="utf-8"
    )
    events = RecBole.parse({"interactions": tmp_path / "x.inter"}).read().events
    assert events["item_id"].to_list() == ["i"]


def test_a_repeated_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"log\.csv has 2 columns called 'item_id'; rename or remove all but one"
    ):
        read(tmp_path / "log.csv", "user_id,item_id,item_id,timestamp\na,b,c,1\n")
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\titem_id:float\na\tb\t1\n")
    with pytest.raises(InputError, match=r"x\.inter has several columns called 'item_id'"):
        RecBole(interactions=tmp_path / "x.inter").read()


@pytest.mark.parametrize("style", ["always", "necessary"])
def test_missing_ids_are_named_whether_quoted_or_not(tmp_path: Path, style: str) -> None:
    frame = pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", None], "timestamp": [1, 2]})
    frame.write_csv(tmp_path / "log.csv", quote_style=style)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"log\.csv, row 2: no item_id; add it or remove the row"):
        Table(interactions=tmp_path / "log.csv").read()  # type: ignore[arg-type]


# Several files


def make_days(folder: Path) -> None:
    folder.mkdir()
    for day in (2, 1, 3):
        (folder / f"day{day}.csv").write_text(f"user_id,item_id,timestamp\nu{day},i,{1400000000 + day}\n")
    (folder / "_SUCCESS").write_text("")
    (folder / ".hidden.csv").write_text("x")
    (folder / "notes.md").write_text("x")


@pytest.mark.parametrize(
    "given", [["days"], ["days/*.csv"], ["days/day1.csv", "days/day2.csv", "days/day3.csv"]]
)
def test_folders_patterns_and_lists_of_files_are_one_log(tmp_path: Path, given: list[str]) -> None:
    make_days(tmp_path / "days")
    source = Table.parse({"interactions": [tmp_path / name for name in given]})
    assert source.read().events["user_id"].to_list() == ["u1", "u2", "u3"]
    assert source.files() == tuple(tmp_path / f"days/day{day}.csv" for day in (1, 2, 3))


def test_files_of_an_order_follow_one_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"user_id,item_id\nu,{name}1\nu,{name}2\n")
    source = Table.parse({"interactions": [tmp_path / "b.csv", tmp_path / "a.csv"], "time": "order"})
    assert source.read().events.rows() == [("u", "b1", 0), ("u", "b2", 1), ("u", "a1", 2), ("u", "a2", 3)]


def test_a_file_twice_an_empty_folder_and_other_units_are_refused(tmp_path: Path) -> None:
    make_days(tmp_path / "days")
    with pytest.raises(InputError, match=r"day2\.csv is named twice"):
        Table.parse({"interactions": [tmp_path / "days", tmp_path / "days/day2.csv"]}).files()
    with pytest.raises(InputError, match="no file has such a name"):
        Table.parse({"interactions": tmp_path / "*.csv"}).files()
    (tmp_path / "days/day4.csv").write_text("user_id,item_id,timestamp\nu,i,1400000000000\n")
    with pytest.raises(
        InputError, match=r"day1\.csv has times in seconds .* and .*day4\.csv in milliseconds"
    ):
        Table.parse({"interactions": tmp_path / "days"}).read()


# Given parts


def write_parts(folder: Path) -> None:
    for part, rows in {
        "train": "u\ta\t3\nu\tb\t1\nv\ta\t9\n",
        "valid": "u\tc\t2\nv\tb\t1\nu\td\t7\n",
        "test": "u\te\t0\nw\ta\t5\n",
    }.items():
        (folder / f"ml.{part}.inter").write_text(f"user_id:token\titem_id:token\ttimestamp:float\n{rows}")


def histories(dataset: Dataset) -> dict[str, list[str]]:
    items = dataset.items["item_id"]
    return {
        user: items.gather(dataset.histories[row] - 1).to_list()
        for row, user in enumerate(dataset.users["user_id"])
    }


def test_given_parts_are_kept(tmp_path: Path) -> None:
    write_parts(tmp_path)
    dataset = Dataset.from_log(RecBole(interactions=tmp_path).read(), rule=Given())
    assert histories(dataset) == {"u": ["b", "a", "c", "d", "e"], "v": ["a", "b"], "w": ["a"]}
    assert dataset.split.train_end.tolist() == [2, 1, 0]
    assert dataset.split.validation_at.tolist() == [2, 1, -1]
    assert dataset.split.test_at.tolist() == [4, -1, -1]
    dataset.save(tmp_path / "data")
    assert Dataset.load(tmp_path / "data").interactions.equals(dataset.interactions)


def test_parts_that_are_split_anew_are_told(tmp_path: Path) -> None:
    write_parts(tmp_path)
    dataset = Dataset.from_log(RecBole(interactions=tmp_path).read())
    assert dataset.notes == (
        "leave-one-out splits 1 of 1 users differently from the source's files or labels; `split` given keeps theirs",
    )
    assert histories(dataset) == {"u": ["e", "b", "c", "a", "d"]}


def test_tables_may_be_parts(tmp_path: Path) -> None:
    for name, item in {"train": "a", "validation": "b", "test": "c"}.items():
        (tmp_path / f"{name}.csv").write_text(f"user_id,item_id,timestamp\nu,{item},1400000000\n")
    paths = {name: tmp_path / f"{name}.csv" for name in ("validation", "test")}
    source = Table.parse({"interactions": tmp_path / "train.csv", **paths})
    dataset = Dataset.from_log(source.read(), rule=Given())
    assert dataset.split.counts()["test_queries"] == 1
    with pytest.raises(InputError, match="give both `validation` and `test`, or neither"):
        Table.parse({"interactions": tmp_path / "train.csv", "test": tmp_path / "test.csv"})
    with pytest.raises(InputError, match="given needs a source with files or labels"):
        Dataset.from_log(Table.parse({"interactions": tmp_path / "train.csv"}).read(), rule=Given())


# Lists of items


def test_recboles_sessions_give_each_item_once(tmp_path: Path) -> None:
    rows = ["s1\ta b c\td", "s1\ta b\tc", "s1\ta\tb", "s2\tb\ta", "s1\tx\ty"]
    header = "session_id:token\titem_id_list:token_seq\titem_id:token\n"
    (tmp_path / "s.inter").write_text(header + "\n".join(rows) + "\n")
    log = RecBole(interactions=tmp_path / "s.inter", columns={"user": "session_id"}).read()
    assert log.time == "order"
    expected = {"s1": ["a", "b", "c", "d", "x", "y"], "s2": ["b", "a"]}
    assert dict(log.events.group_by("user_id").agg("item_id").iter_rows()) == expected
    assert "2 rows repeat the beginning" in log.notes[-1]


@pytest.mark.parametrize(
    "value",
    ["1 2 3", "1,2,3", "1|2|3", "[1, 2, 3]", '["1", "2", "3"]', "['1', '2', '3']", "[1 2 3]", " 1;2;3 "],
)
def test_lists_in_text(tmp_path: Path, value: str) -> None:
    frame = pl.DataFrame({"user_id": ["u"], "clicks": [value]})
    frame.write_csv(tmp_path / "log.csv")
    frame.select("user_id", clicks=pl.lit(["1", "2", "3"])).write_parquet(tmp_path / "log.parquet")
    for name in ("log.csv", "log.parquet"):
        log = Table.parse({"interactions": tmp_path / name, "columns": {"history": "clicks"}}).read()
        assert log.events.rows() == [("u", "1", 0), ("u", "2", 1), ("u", "3", 2)]


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    for value, message in (("[[1]]", "is not a list of ids"), (None, "has no item in column 'history'")):
        pl.DataFrame({"user_id": ["u"], "history": [value]}).write_parquet(tmp_path / "log.parquet")
        with pytest.raises(InputError, match=message):
            Table.parse({"interactions": tmp_path / "log.parquet"}).read()
