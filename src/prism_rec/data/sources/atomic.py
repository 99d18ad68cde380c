"""Tab-separated files without quoting, as RecBole and MMRec write them."""

from pathlib import Path

import polars as pl

from prism_rec.data.raw_log import Part
from prism_rec.data.reading import reading
from prism_rec.data.sources.delimited import open_delimited
from prism_rec.data.sources.files import check_is_folder
from prism_rec.errors import DataError


def find_inter(folder: Path) -> Path:
    """Return the only `.inter` file of a folder.

    Raises:
        DataError: no such folder, or no such file, or more than one.
    """
    check_is_folder(folder, "the .inter file")
    found = sorted(path for path in folder.iterdir() if path.suffix == ".inter")
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DataError(f"{folder} should have one .inter file (found: {names}); name the file itself")
    return found[0]


def find_parts(folder: Path) -> dict[Part, Path]:
    """Return NAME.train.inter, NAME.valid.inter and NAME.test.inter of a folder, if it has all three and no other."""
    found = {path.name.split(".")[-2]: path for path in folder.glob("*.*.inter") if path.is_file()}
    names: dict[str, Part] = {"train": "training", "valid": "validation", "test": "test"}
    if set(found) != set(names) or len(list(folder.glob("*.inter"))) != len(names):
        return {}
    return {part: found[name] for name, part in names.items()}


def scan_atomic(path: Path) -> tuple[pl.LazyFrame, tuple[str, ...]]:
    """Open a tab-separated file without quoting; columns are text and lose their `:type`.

    Returns:
        The rows, and the names with their types.

    Raises:
        DataError: no such file, empty, or a name occurs twice.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    text = open_delimited(path, separator="\t", header=True, quote=None)
    names = [name.partition(":")[0] for name in text.first_row]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise DataError(f"{path} has several columns called {repeated!r}; rename or remove all but one")
    with reading(str(path)):
        given = text.scan.collect_schema().names()
    return text.scan.rename(dict(zip(given, names, strict=True))), text.first_row
