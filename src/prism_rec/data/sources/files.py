"""Reading the files that sources are made of, plain or gzipped."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.frames import entities_from
from prism_rec.data.reading import reading
from prism_rec.errors import InputError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def scan_table(path: Path) -> pl.LazyFrame:
    """Open a CSV, TSV or Parquet file by its ending (`.csv`, `.tsv`, either with `.gz`, `.parquet`).

    Every column of a text file is text, so that an id such as 007 stays as it is.

    Raises:
        InputError: another ending, a folder, or no such file.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file, or --source movielens for a folder of GroupLens")
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    if suffix == ".parquet":
        return pl.scan_parquet(path, glob=False)
    if suffix in _SEPARATORS:
        return pl.scan_csv(path, separator=_SEPARATORS[suffix], infer_schema=False, glob=False)
    if suffix in (".json", ".jsonl"):
        raise InputError(f"{path} is no table; name its --source, such as amazon-2014 or yelp")
    raise InputError(
        f"{path}: the ending says no format; name it .csv, .tsv (or either with .gz) or .parquet"
    )


def read_items(path: Path | None, columns: Mapping[str, str]) -> pl.DataFrame | None:
    """Read a table of items (title, ...) with one row an item, or nothing where there is no such file.

    Raises:
        InputError: see `scan_table` and `entities_from`.
    """
    if path is None:
        return None
    with reading(str(path)):
        frame = scan_table(path).collect()
    return entities_from(frame, "item_id", columns, str(path))


def read_lines(path: Path, encodings: tuple[str, ...] = ("utf-8-sig",)) -> pl.Series:
    r"""Return the lines of a text file, plain or `.gz`, without their ends (`\n` or `\r\n`).

    Args:
        path: the file.
        encodings: tried in this order.

    Raises:
        InputError: no such file, cut short, in none of the encodings, or empty.
    """
    with reading(str(path)):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    else:
        raise InputError(
            f"{path}, line {line}: not {encodings[0].removesuffix('-sig').upper()}; convert the file"
        )
    if not text.strip():
        raise InputError(f"{path} is empty; at least one line is needed")
    return pl.Series("line", text.removesuffix("\n").split("\n"), dtype=pl.String).str.strip_suffix("\r")


def refuse(source: str, **given: Any) -> None:
    """Refuse arguments that a source has no use for, rather than ignore them.

    Raises:
        InputError: one of the arguments is neither None nor empty.
    """
    for name, value in given.items():
        if value:
            raise InputError(f"--{name} has no meaning for the source {source!r}; leave it out")
