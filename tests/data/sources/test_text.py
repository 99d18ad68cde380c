import gzip
from pathlib import Path

import pytest

from prism_rec.data.sources import Text
from prism_rec.errors import InputError, SettingsError


def test_lines_are_users_with_their_items_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes("\ufeffu1 007 7\r\n\r\n\u00a0 é\tb  c \nu1 d".encode())
    log = Text(interactions=path).read()
    assert log.events.rows() == [
        ("u1", "007", 0),
        ("u1", "7", 1),
        ("\u00a0", "é", 0),
        ("\u00a0", "b", 1),
        ("\u00a0", "c", 2),
        ("u1", "d", 2),
    ]
    assert log.time == "order"


def test_items_may_be_described_and_lines_gzipped(tmp_path: Path) -> None:
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(b"u a b\n"))
    (tmp_path / "items.csv").write_text("item,title\na,A\n")
    files = (tmp_path / "log.txt.gz", tmp_path / "items.csv")
    source = Text(interactions=files[0], items=files[1], columns={"item": "item"})
    log = source.read()
    assert source.files() == files
    assert log.items is not None
    assert log.items.rows() == [("a", "A")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "log.txt is empty"),
        (b" \n\n", "log.txt is empty"),
        (b"u a\n\nv\nw b\n", "log.txt, line 3: user 'v' has no item"),
        (b"u a\nv \x00\xe9\n", "log.txt, line 2: not text"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "log.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        Text(interactions=tmp_path / "log.txt").read()


def test_a_gzip_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(b"u a b\n" * 99)[:-9])
    with pytest.raises(InputError, match=r"log\.txt\.gz cannot be read"):
        Text(interactions=tmp_path / "log.txt.gz").read()


def test_settings_of_other_sources_are_refused(tmp_path: Path) -> None:
    for key, value in {"columns": {"user": "uid"}, "time": "order", "item_column": "id"}.items():
        with pytest.raises(SettingsError, match=f"{key}"):
            Text.parse({"interactions": tmp_path / "log.txt", key: value}, "source")
