import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_rec.data.sources.lines import reader as module
from prism_rec.data.sources.lines.reader import LineReader
from prism_rec.errors import InputError


def write(path: Path, content: bytes) -> LineReader:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return LineReader(path)


@given(
    st.lists(st.binary(max_size=24).map(lambda line: line.replace(b"\n", b" ")), max_size=12), st.booleans()
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_back_with_their_numbers_but_for_the_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes], ended: bool
) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 16)
    monkeypatch.setattr(module, "MOST_UNREADABLE", 1)
    if not ended:
        lines = [*lines, b"last"]
    content = b"\xef\xbb\xbf" + b"".join(line + b"\n" for line in lines)
    reader = write(tmp_path / "lines.txt", content if ended else content[:-1])
    found = [
        (number, line)
        for first, chunk in reader.chunks()
        for number, line in enumerate(chunk.split(b"\n")[:-1], first)
    ]
    long = [number for number, line in enumerate(lines, 1) if len(line) > 16]
    assert found == [(number, line) for number, line in enumerate(lines, 1) if number not in long]
    assert reader.lines == len(lines)
    assert reader.unreadable == len(long)
    assert [note.split(":")[0] for note in reader.notes] == [
        f"lines.txt, line {number}" for number in long[:5]
    ]


def test_lines_are_numbered_across_blank_ones_and_ends_of_any_kind(tmp_path: Path) -> None:
    reader = write(tmp_path / "lines.txt", b"\xef\xbb\xbfa\r\n\n  b \nc")
    assert list(reader) == [(1, b"a"), (3, b"b"), (4, b"c")]
    assert reader.lines == 4


def test_a_file_is_read_as_what_it_is_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.gz").write_bytes(b"a\n")
    (tmp_path / "packed.json").write_bytes(gzip.compress(b"a\n"))
    for name in ("plain.gz", "packed.json"):
        assert list(LineReader(tmp_path / name).chunks()) == [(1, b"a\n")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    reader = write(tmp_path / "lines.json.gz", b"")
    assert list(reader.chunks()) == []
    assert reader.lines == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "cut.gz",
            gzip.compress(bytes(range(256)) * 4000, mtime=0)[:-1000],
            r"cut\.gz cannot be read \(Compressed file",
        ),
        ("cut.json", gzip.compress(b"x\n", mtime=0)[:12], r"cut\.json cannot be read \(Compressed file"),
        ("none.json", None, r"none\.json: no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        list(LineReader(tmp_path / name).chunks())
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="is a folder; give a file"):
        list(LineReader(tmp_path).chunks())


def test_too_many_skipped_lines_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    reader = write(tmp_path / "lines.json", b"x\n" * 200)
    for line in (7, 8, 9):
        reader.skip(line, "odd")
    with pytest.raises(
        InputError,
        match=r"lines\.json: 3 of 200 lines cannot be read, more than 1% \(line 7: odd; skipped\)",
    ):
        list(reader.chunks())
