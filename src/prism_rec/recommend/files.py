"""Files of recommendations: users, histories and candidates to read, recommended items to write."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from prism_rec.data.frames import text_ids
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import scan_table
from prism_rec.errors import DataError
from prism_rec.files import check_file, replacing
from prism_rec.inputs import split_ids

TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".gz")
WRITTEN = (".parquet", ".csv", ".jsonl")


def read_ids(path: Path, column: str, may_be_empty: bool = False) -> list[str]:
    """Return ids from a file.

    Args:
        path: a table (`.csv`, `.tsv`, `.parquet`, `.jsonl`); any other file has one id per line, perhaps below the name
            of the column.
        column: the column of the table with the ids.
        may_be_empty: a file without any id, or with a header only, gives none.

    Raises:
        DataError: the file cannot be read, has no such column or no id, or has something else than ids.
    """
    if may_be_empty and path.is_file() and not path.stat().st_size:
        return []
    if path.suffix in TABLES:
        ids = text_ids(_column(_read_table(path), column, path), str(path)).to_list()
    else:
        with reading(str(path)):
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        ids = [line.strip() for line in lines if line.strip()]
        ids = ids[1:] if ids[:1] == [column] else ids
    if not ids and not may_be_empty:
        raise DataError(f"{path} has no id; at least one is needed")
    return ids


def read_histories(path: Path) -> dict[str, list[str]]:
    """Return histories by user id.

    Args:
        path: a table (`.parquet`, `.jsonl`, `.csv`, `.tsv`) with a column `history`: a list of item ids, oldest first,
            or in a text file the ids separated by commas, those that have a comma in double quotes. A column `user_id`
            is optional; without it, row numbers from 0 are the user ids.

    Raises:
        DataError: the file cannot be read, has no such column, has something else than ids, or has a user twice.
    """
    table = _read_table(path)
    history = _column(table, "history", path)
    if history.dtype == pl.String:
        lists = [_split(text or "", path, row) for row, text in enumerate(history.to_list(), start=1)]
    elif isinstance(history.dtype, pl.List):
        # Refuse lists of anything but ids.
        text_ids(pl.Series("history", [], history.dtype.inner), str(path))
        lists = [[*(items or ())] for items in history.to_list()]
    else:
        raise DataError(f"{path}: column history has no lists; give the ids of a history as a list")
    for row, items in enumerate(lists, start=1):
        if None in items or "" in items:
            raise DataError(f"{path}, row {row}: an id of the history is empty; remove it")
    users = (
        text_ids(table["user_id"], str(path)).to_list()
        if "user_id" in table.columns
        else map(str, range(len(lists)))
    )
    found = dict(zip(users, ([str(item) for item in items] for items in lists), strict=True))
    if len(found) < len(lists):
        raise DataError(f"{path} has a user_id more than once; give each user one row")
    return found


def check_output(path: Path, inputs: Iterable[Path] = (), replace: bool = False) -> None:
    """Refuse a file that cannot or may not be written, before anything is computed for it.

    Args:
        path: the file.
        inputs: files and folders that are read.
        replace: an older file may be replaced, unless it is an input.

    Raises:
        DataError: another ending than `.parquet`, `.csv` or `.jsonl`.
        FolderError: the file exists, or is an input.
    """
    if path.suffix not in WRITTEN:
        raise DataError(f"{path}: unknown ending; use {', '.join(WRITTEN)}")
    check_file(path, inputs, replace)


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame in the format of the file's ending: `.parquet`, `.csv` or `.jsonl`."""
    check_output(path, replace=True)
    with replacing(path) as partial:
        if path.suffix == ".parquet":
            frame.write_parquet(partial)
        elif path.suffix == ".csv":
            frame.write_csv(partial)
        else:
            frame.write_ndjson(partial)


def _read_table(path: Path) -> pl.DataFrame:
    with reading(str(path)):
        return pl.read_ndjson(path.read_bytes()) if path.suffix == ".jsonl" else scan_table(path).collect()


def _split(text: str, path: Path, row: int) -> list[str]:
    try:
        return split_ids(text)
    except DataError as error:
        raise DataError(f"{path}, row {row}: {error}") from None


def _column(table: pl.DataFrame, name: str, path: Path) -> pl.Series:
    if name not in table.columns:
        raise DataError(f"{path} has no column {name}, only {', '.join(table.columns)}; rename a column")
    return table[name]
