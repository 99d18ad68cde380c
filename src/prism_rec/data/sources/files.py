"""Tables, text files and folders that sources read; files may be gzipped."""

import codecs
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.frames import entities_from
from prism_rec.data.reading import reading
from prism_rec.data.sources.decoding import decode
from prism_rec.data.sources.delimited import open_delimited
from prism_rec.data.sources.parquet import check_parquet
from prism_rec.errors import DataError

_TEXT = (".csv", ".tsv", ".txt", ".dat", ".data")
ENDINGS = (*_TEXT, ".parquet")
"""Endings of tables; those of text also with `.gz`."""


def is_text(path: Path) -> bool:
    """Tell whether a path is a text table, by its ending.

    Raises:
        DataError: the ending is not that of a table, or the path is a folder.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a file, or for a folder of GroupLens `source` movielens")
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    if suffix in (".json", ".jsonl"):
        raise DataError(
            f"{path} is not a table of CSV or Parquet; save it as one, or name the format of a log in `source`, such "
            "as amazon-2014 or yelp"
        )
    if suffix not in ENDINGS:
        raise DataError(f"{path}: unknown ending; use {', '.join(_TEXT)} (also with .gz) or .parquet")
    return suffix != ".parquet"


def scan_table(path: Path, encoding: str | None = None) -> pl.LazyFrame:
    """Open a text table with a header, or a Parquet file, by its ending.

    Every column of a text file is text, so that an id such as 007 stays unchanged.

    Args:
        path: the file.
        encoding: of a text file; None to find out.

    Raises:
        DataError: another ending, a folder, or no such file; or a text table without a header or in an encoding that
            can only be guessed.
    """
    scan, notes = open_items(path, encoding)
    if notes:
        raise DataError(f"{path} is not UTF-8 or UTF-16; save it as UTF-8")
    return scan


def open_items(path: Path, encoding: str | None = None) -> tuple[pl.LazyFrame, tuple[str, ...]]:
    """Return what `scan_table` returns, and a note if the encoding was guessed."""
    if not is_text(path):
        check_parquet(path)
        return pl.scan_parquet(path, glob=False), ()
    text = open_delimited(path, encoding=encoding, known={"item_id", "user_id"})
    if not text.has_header:
        raise DataError(
            f"{path} has no line with the names of the columns (its first line: {', '.join(text.first_row):.60}); "
            "add one, such as item_id,title"
        )
    return text.scan, text.notes


def read_items(
    path: Path | None, columns: Mapping[str, str], encoding: str | None = None
) -> tuple[pl.DataFrame | None, tuple[str, ...]]:
    """Read a table with one row per item (title, ...), if there is one, and return it and notes.

    Raises:
        DataError: see `scan_table` and `entities_from`.
    """
    if path is None:
        return None, ()
    scan, notes = open_items(path, encoding)
    with reading(str(path)):
        frame = scan.collect()
    return entities_from(frame, "item_id", columns, str(path)), notes


def read_lines(path: Path, encoding: str | None = None) -> tuple[pl.Series, tuple[str, ...]]:
    r"""Return the lines of a text file, plain or gzipped, without their ends (`\n` or `\r\n`), and notes.

    Args:
        path: the file.
        encoding: None to find out; see `decode`.

    Raises:
        DataError: no such file, cut short, in another encoding, or empty.
    """
    data, note = decode(path, encoding)
    if data is None:
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    text = pl.Series("line", [data.decode().removesuffix("\n")])
    lines = text.str.split("\n").explode()  # a list of Python would need many times as much memory
    return lines.str.strip_suffix("\r"), () if note is None else (note,)


def check_is_folder(folder: Path, content: str) -> None:
    """Refuse a path that is not a folder.

    Args:
        folder: the path.
        content: what the folder should have, for the message.

    Raises:
        DataError: no such folder, or a file.
    """
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {problem}; give the folder with {content}")
