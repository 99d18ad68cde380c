"""One line for every error of a library that reads a file."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from prism_rec.errors import DataError

_RAGGED = (
    "(a row has more fields than the first line); put texts that have the separator in them in double quotes"
)


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn a library's error about a file into one line that names the file.

    Raises:
        DataError: the file is missing, empty, cut short, not UTF-8, or not of its format.
    """
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{where}: no such file; check the path") from None
    except IsADirectoryError:
        raise DataError(f"{where} is a folder; give a file") from None
    except pl.exceptions.NoDataError:
        raise DataError(f"{where} is empty; at least one row is needed") from None
    except UnicodeDecodeError:
        raise DataError(f"{where} is not UTF-8; give a text file, saved as UTF-8") from None
    except pl.exceptions.ComputeError as error:
        why = first_line(error)
        fix = _RAGGED if "more fields than defined" in why else f"({why}); check that it is complete"
        raise DataError(f"{where} cannot be read {fix}") from None
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(f"{where} cannot be read ({first_line(error)}); check that it is complete") from None


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or the exception's name if there is no message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
