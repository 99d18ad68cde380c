"""Tables, text files and folders that sources read; files may be gzipped."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.frames import entities_from
from prism_rec.data.reading import reading
from prism_rec.errors import DataError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def scan_table(path: Path) -> pl.LazyFrame:
    """Open a CSV, TSV or Parquet file by its ending (`.csv`, `.tsv`, both also with `.gz`, `.parquet`).

    Every column of a text file is text, so that an id such as 007 stays unchanged.

    Raises:
        DataError: another ending, a folder, or no such file.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a file, or for a folder of GroupLens `source` movielens")
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    if suffix == ".parquet":
        return pl.scan_parquet(path, glob=False)
    if suffix in _SEPARATORS:
        return pl.scan_csv(path, separator=_SEPARATORS[suffix], infer_schema=False, glob=False)
    if suffix in (".json", ".jsonl"):
        raise DataError(f"{path} is not a table; give its format in `source`, such as amazon-2014 or yelp")
    raise DataError(f"{path}: unknown ending; use .csv, .tsv (also with .gz) or .parquet")


def read_items(path: Path | None, columns: Mapping[str, str]) -> pl.DataFrame | None:
    """Read a table with one row per item (title, ...); None if no file is given.

    Raises:
        DataError: see `scan_table` and `entities_from`.
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
        encodings: the encodings to try, in this order.

    Raises:
        DataError: no such file, cut short, in another encoding, or empty.
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
        raise DataError(
            f"{path}, line {line}: not {encodings[0].removesuffix('-sig').upper()}; convert the file"
        )
    if not text.strip():
        raise DataError(f"{path} is empty; at least one line is needed")
    return pl.Series("line", text.removesuffix("\n").split("\n"), dtype=pl.String).str.strip_suffix("\r")


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
