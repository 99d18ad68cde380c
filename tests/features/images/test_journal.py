"""The record that a killed run is resumed from."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.errors import InputError
from prism_rec.features.images.journal import Journal, require_settings
from prism_rec.features.images.outcome import Picture, SourceOutcome

SETTINGS = {"journal": 1, "size": 32}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def picture(folder: Path, name: str, content: bytes = b"picture") -> Picture:
    (folder / name).write_bytes(content)
    return Picture(name, "0" * 64, 100, 20, 10, len(content), hashlib.sha256(content).hexdigest())


def record(path: Path, *outcomes: SourceOutcome) -> None:
    with Journal(path, SETTINGS) as journal:
        for outcome in outcomes:
            journal.record(outcome)


def read(path: Path) -> dict[str, SourceOutcome]:
    with Journal(path, SETTINGS) as journal:
        return dict(journal.outcomes)


def test_what_was_recorded_is_read_back_and_the_latest_counts(path: Path) -> None:
    first = SourceOutcome("http://a/\u00e4\n\u2028", "retry", 4, reason="timeout")
    second = SourceOutcome(first.source, "ok", 5, picture(path.parent, "a.jpg"), etag='"1"')
    other = SourceOutcome("b", "failed", 1, reason="http-404")
    record(path, first, other)
    record(path, second)
    assert read(path) == {first.source: second, "b": other}


@given(cut=st.integers(0, 400))
@settings(max_examples=60)
def test_cut_anywhere_only_whole_lines_count_and_it_can_be_written_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "journal.jsonl"
    outcomes = [SourceOutcome(f"source-{n}", "failed", n, reason="http-404") for n in range(5)]
    record(path, *outcomes)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    kept = max(0, whole[:cut].count(b"\n") - 1)
    require_settings(path, SETTINGS)
    assert list(read(path).values()) == outcomes[:kept]
    record(path, *outcomes[kept:])
    assert path.read_bytes() == whole


def test_a_picture_that_is_not_there_in_full_is_forgotten(path: Path) -> None:
    pictures = [picture(path.parent, name) for name in ("kept", "cut", "changed", "lost")]
    record(path, *(SourceOutcome(p.file, "ok", 1, p) for p in pictures))
    (path.parent / "cut").write_bytes(b"pict")
    (path.parent / "changed").write_bytes(b"picturE")
    (path.parent / "lost").unlink()
    assert list(read(path)) == ["kept"]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"source": "a"}', b'{"nothing": 1}', b"\xff\xfe", b'{"picture": 3}']
)
def test_a_damaged_line_is_counted_and_its_source_is_visited_again(path: Path, line: bytes) -> None:
    record(path, SourceOutcome("a", "failed", 1))
    with path.open("ab") as file:
        file.write(line + b"\n")
    with Journal(path, SETTINGS) as journal:
        assert (list(journal.outcomes), journal.damaged) == (["a"], 1)


def test_every_changed_byte_is_noticed(path: Path) -> None:
    record(path, SourceOutcome("a", "failed", 1, reason="http-404"), SourceOutcome("b", "failed", 1))
    content = path.read_bytes()
    begin = content.index(b"\n") + 1
    end = content.index(b"\n", begin)
    for place in range(begin, end):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with Journal(path, SETTINGS) as journal:
            assert (list(journal.outcomes), journal.damaged) == (["b"], 1)


def test_other_settings_are_refused(path: Path) -> None:
    record(path)
    with pytest.raises(InputError, match="was made with `size` 32, not 64; use that, or name another folder"):
        require_settings(path, {**SETTINGS, "size": 64})
    with pytest.raises(InputError, match="was changed after it was written, or is not of this version"):
        require_settings(path, {"journal": 1})
    for first in (b"nonsense", b"3", b'{"journal": 1, "size": 32}'):
        path.write_bytes(first + b"\n")
        with pytest.raises(InputError, match="was changed after it was written, or is not of this version"):
            require_settings(path, SETTINGS)


def test_nothing_yet_is_no_mistake(path: Path) -> None:
    require_settings(path, SETTINGS)
    path.touch()
    require_settings(path, SETTINGS)
    assert read(path) == {}
    first = json.loads(path.read_text())
    assert {name: first[name] for name in SETTINGS} == SETTINGS
