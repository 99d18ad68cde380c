import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_rec.data.sources.lines import json_events
from prism_rec.data.sources.lines.json_events import EventFields, read_events
from prism_rec.data.sources.lines.reader import LineReader
from prism_rec.data.sources.lines.records import parse_json_or_literal
from prism_rec.errors import InputError

FIELDS = EventFields(user="u", item="i", time="t", rating="r")
GOOD = {"u": "a", "i": "b", "t": 7, "r": 4.5}


def write(path: Path, *lines: Any) -> Path:
    parts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"".join(part + b"\n" for part in parts))
    return path


def read(path: Path, fields: EventFields = FIELDS) -> tuple[list[tuple[Any, ...]], LineReader]:
    reader = LineReader(path)
    return read_events(reader, fields).rows(), reader


def test_reads_events_in_file_order(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", {**GOOD, "more": [{"u": "z"}]}, b"", {**GOOD, "u": 5, "r": None}, GOOD)
    rows, reader = read(path)
    assert rows == [("a", "b", 7, 4.5), ("5", "b", 7, None), ("a", "b", 7, 4.5)]
    assert (reader.unreadable, reader.lines) == (0, 4)


UNREADABLE: dict[str, Any] = {
    "not JSON": b'{"u": "a", "i"',
    "not JSON, cut": b"{'u': 'a'",
    "two objects": b'{"u": "a", "i": "b", "t": 1} {"u": "a"}',
    "not UTF-8": b'{"u": "\xff\xfe", "i": "b", "t": 1}',
    "deep": b'{"u": "a", "i": "b", "t": 1, "x": ' + b"[" * 100_000,
    "no object": [1, 2],
    "null": None,
    "no user": {"i": "b", "t": 1},
    "no item": {"u": "a", "i": None, "t": 1},
    "no time": {"u": "a", "i": "b"},
    "empty id": {**GOOD, "u": ""},
    "list as id": {**GOOD, "u": ["a"]},
    "object as id": {**GOOD, "i": {"id": "b"}},
    "decimal id": {**GOOD, "i": 1.5},
    "true as id": {**GOOD, "i": True},
    "half a pair": {**GOOD, "u": "\ud800"},
    "words as time": {**GOOD, "t": "soon"},
    "decimal time": {**GOOD, "t": 1.5},
    "true as time": {**GOOD, "t": True},
    "list as time": {**GOOD, "t": [1]},
    "huge time": {**GOOD, "t": 10**30},
    "time of NaN": b'{"u": "a", "i": "b", "t": NaN}',
}


@pytest.mark.parametrize("bad", UNREADABLE.values(), ids=UNREADABLE)
def test_a_line_that_cannot_be_read_is_left_out_and_told(tmp_path: Path, bad: Any) -> None:
    rows, reader = read(write(tmp_path / "x.json", *[GOOD] * 60, b"", bad, *[GOOD] * 60))
    assert rows == [("a", "b", 7, 4.5)] * 120
    assert reader.unreadable == 1
    assert reader.notes[0].startswith("x.json, line 62: ")
    assert reader.notes[0].endswith("; skipped")
    assert len(reader.notes[0]) < 100


ODD = [
    ({**GOOD, "u": "[x]"}, ("[x]", "b", 7, 4.5)),
    ({**GOOD, "u": "{"}, ("{", "b", 7, 4.5)),
    ({**GOOD, "u": "true", "i": "null"}, ("true", "null", 7, 4.5)),
    ({**GOOD, "u": "1.5", "i": "\x00"}, ("1.5", "\x00", 7, 4.5)),
    ({**GOOD, "u": "../../x", "i": "a\u2028\n\t b"}, ("../../x", "a\u2028\n\t b", 7, 4.5)),
    ({**GOOD, "u": 10**30}, (str(10**30), "b", 7, 4.5)),
    ({**GOOD, "t": "7", "r": "4.5"}, ("a", "b", 7, 4.5)),
    ({**GOOD, "t": 7.0, "r": "good"}, ("a", "b", 7, None)),
    ({**GOOD, "t": -1, "r": ["x"]}, ("a", "b", -1, None)),
    (b'{"u": "a", "i": "b", "t": 7, "r": Infinity}', ("a", "b", 7, None)),
    (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), ("a", "b", 7, 4.5)),
    (json.dumps(GOOD).encode() + b"\r", ("a", "b", 7, 4.5)),
]


@pytest.mark.parametrize(("line", "row"), ODD)
def test_odd_lines_are_read_as_they_are(tmp_path: Path, line: Any, row: tuple[Any, ...]) -> None:
    assert read(write(tmp_path / "x.json", line))[0] == [row]


IDS = (
    st.text(max_size=4)
    | st.integers()
    | st.floats()
    | st.sampled_from(["[", "true", "-1.0", "1e5", 1e5, -2e3, 1e22])
)
PAIRS = st.lists(
    st.sampled_from("ui").flatmap(lambda key: st.tuples(st.just(key), IDS))
    | st.tuples(st.just("t"), st.integers(-(2**40), 2**40) | st.none() | st.just(7.0))
    | st.tuples(st.just("r"), st.floats(width=16) | st.none() | st.just("4")),
    max_size=6,
)


def as_json(pairs: list[tuple[str, Any]]) -> bytes:
    """Write an object in which a field may occur twice, and numbers in their shortest form."""
    fields = [f"{json.dumps(key)}:{json.dumps(value).replace('.0e', 'e')}" for key, value in pairs]
    return f"{{{','.join(fields)}}}".encode().replace(b"100000.0", b"1e5")


@given(st.lists(PAIRS.map(lambda pairs: as_json([*pairs, *GOOD.items()])), max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_fast_way_gives_what_the_careful_way_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    monkeypatch.setattr("prism_rec.data.sources.lines.reader.MOST_UNREADABLE", 1)
    path = write(tmp_path / "x.json", GOOD, *lines)
    fast = read(path)
    whole = json_events._parse_fast
    with monkeypatch.context() as patch:
        patch.setattr(
            json_events, "_parse_fast", lambda part, form: None if b"\n" in part else whole(part, form)
        )
        careful = read(path)
    assert fast[0] == careful[0]
    assert fast[1].notes == careful[1].notes


@pytest.mark.parametrize("neighbour", [json.dumps(GOOD).encode(), b"{broken", b"", b"{'u': 1}"])
def test_a_line_means_the_same_whatever_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neighbour: bytes
) -> None:
    monkeypatch.setattr("prism_rec.data.sources.lines.reader.MOST_UNREADABLE", 1)
    odd = [
        b'{"u":"first","u":"second","i":"b","t":7}',
        b'{"u":1e5,"i":"b","t":7}',
        b'{"u":null,"u":"z","i":"b","t":7}',
        b'{"\\u0075":"x","i":"b","t":7,"t":8}',
    ]
    rows, _ = read(write(tmp_path / "x.json", *odd, neighbour))
    assert [row[:3] for row in rows[:3]] == [("first", "b", 7), ("100000", "b", 7), ("x", "b", 7)]


def test_good_lines_go_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_events, "_parse_line", None)
    assert len(read(write(tmp_path / "x.json", *[GOOD] * 5))[0]) == 5


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("2018-09-24 14:27:30", 1537799250),
        ("2018-09-24", 1537747200),
        ("2018-09-24T16:27:30+02:00", 1537799250),
    ],
)
def test_dates_become_seconds(tmp_path: Path, date: str, seconds: int) -> None:
    fields = EventFields(user="u", item="i", time="t", rating="r", unit="date")
    path = write(tmp_path / "x.json", *[{**GOOD, "t": date}] * 120, {**GOOD, "t": "24 Sep"})
    rows, reader = read(path, fields)
    assert rows == [("a", "b", seconds, 4.5)] * 120
    assert reader.notes == ["x.json, line 121: t is not a time: '24 Sep'; skipped"]


def test_literals_are_read_where_the_format_has_them(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", repr(GOOD).encode(), json.dumps(GOOD).encode())
    fields = EventFields(user="u", item="i", time="t", rating="r", parse=parse_json_or_literal)
    assert read(path, fields)[0] == [("a", "b", 7, 4.5)] * 2


def test_a_line_of_100_megabytes_costs_only_itself(tmp_path: Path) -> None:
    good = json.dumps(GOOD).encode() + b"\n"
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.write(good * 60 + b'{"u": "')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + good * 60)
    rows, reader = read(path)
    assert len(rows) == 120
    assert reader.notes == ["x.json, line 61: longer than 8 MiB; skipped"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"x\.json has no events"),
        ([b"", b" "], r"x\.json has no events"),
        ([GOOD, b"x"], r"x\.json: 1 of 2 lines cannot be read, more than 1% \(line 2: not JSON; skipped\)"),
        (["é".encode("utf-16")], r"1 of 1 lines cannot be read, more than 1% \(line 1: not UTF-8"),
        ([{"user": "a", "item": "b", "time": 1}] * 9, r"9 of 9 lines .* \(line 1: no t; skipped\)"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, lines: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read(write(tmp_path / "x.json", *lines))
    assert "\n" not in str(error.value)


def test_memory_does_not_grow_with_what_is_not_needed(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", *[{**GOOD, "text": "x" * 2000}] * 1000)
    assert read_events(LineReader(path), FIELDS).estimated_size() < 100_000
    assert isinstance(read_events(LineReader(path), FIELDS), pl.DataFrame)
