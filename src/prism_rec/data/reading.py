"""One line for whatever goes wrong while a file is read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from prism_rec.errors import InputError


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn whatever a library says of a file that it cannot read into one line that names the file.

    Raises:
        InputError: the file is missing, empty, cut short, not UTF-8, or not of its format.
    """
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{where}: no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{where} is a folder; name the file in it") from None
    except pl.exceptions.NoDataError:
        raise InputError(f"{where} is empty; at least one row is needed") from None
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
        raise InputError(f"{where} cannot be read ({first_line(error)}); check that it is whole") from None


def first_line(error: Exception) -> str:
    """Return what an exception says, cut to its first line, or its name if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
