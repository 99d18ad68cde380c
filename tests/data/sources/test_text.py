import gzip
from pathlib import Path

import pytest

from prism_rec.data.sources.text import read_text
from prism_rec.errors import InputError


def test_lines_are_users_with_their_items_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes("\ufeffu1 007 7\r\n\r\n\u00a0 é\tb  c \nu1 d".encode())
    log = read_text(path, None, {}, None)
    assert log.events.rows() == [
        ("u1", "007", 0),
        ("u1", "7", 1),
        ("\u00a0", "é", 0),
        ("\u00a0", "b", 1),
        ("\u00a0", "c", 2),
        ("u1", "d", 2),
    ]
    assert (log.time, log.files) == ("order", (path,))


def test_items_may_be_described_and_lines_gzipped(tmp_path: Path) -> None:
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(b"u a b\n"))
    (tmp_path / "items.csv").write_text("item,title\na,A\n")
    log = read_text(tmp_path / "log.txt.gz", tmp_path / "items.csv", {"item": "item"}, None)
    assert log.items is not None
    assert log.items.rows() == [("a", "A")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "log.txt is empty"),
        (b" \n\n", "log.txt is empty"),
        (b"u a\n\nv\nw b\n", "log.txt, line 3: user 'v' has no item"),
        (b"u a\nv \xe9\n", "log.txt, line 2: not UTF-8"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "log.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_text(tmp_path / "log.txt", None, {}, None)


def test_a_gzip_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(b"u a b\n" * 99)[:-9])
    with pytest.raises(InputError, match=r"log\.txt\.gz cannot be read"):
        read_text(tmp_path / "log.txt.gz", None, {}, None)


def test_arguments_without_a_meaning_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--time has no meaning for the source 'text'"):
        read_text(tmp_path / "log.txt", None, {}, "order")
    with pytest.raises(InputError, match="--columns has no meaning"):
        read_text(tmp_path / "log.txt", None, {"user": "uid"}, None)
