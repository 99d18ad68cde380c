"""Tab-separated files without quoting, as RecBole and MMRec write them."""

from pathlib import Path

import polars as pl

from prism_rec.data.reading import reading
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


def scan_atomic(path: Path) -> pl.LazyFrame:
    """Open a tab-separated file without quoting; columns are text and lose their `:type`.

    Raises:
        DataError: no such file, or empty.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    with reading(str(path)):
        scan = pl.scan_csv(path, separator="\t", quote_char=None, infer_schema=False, glob=False)
        names = scan.collect_schema().names()
    return scan.rename({name: name.partition(":")[0] for name in names})
