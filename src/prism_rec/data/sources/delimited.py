"""Text tables: with any usual separator and encoding, with or without a header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from prism_rec.data.reading import reading
from prism_rec.data.sources.decoding import decode
from prism_rec.errors import DataError

SEPARATORS = (",", "\t", ";", "|", "::", " ")
_USUAL = {".csv": ",", ".tsv": "\t"}
_DOUBLE = "::"  # of MovieLens; polars has separators of one character
_UNIT = "\x1f"
_HEAD = 64 * 2**10
_NAMED = re.compile(r'"?sep=(?P<separator>.)"?', re.IGNORECASE)
"""The line with which Excel names the separator; it comes before the line of names."""


@dataclass(frozen=True)
class Delimited:
    """An open text table; every column is text.

    Attributes:
        scan: the rows. Without a header, the columns are called 1, 2, ...
        first_row: the fields of the first line.
        has_header: whether the first line has the names.
        notes: what was inferred and may be wrong.
    """

    scan: pl.LazyFrame
    first_row: tuple[str, ...]
    has_header: bool
    notes: tuple[str, ...]


def open_delimited(
    path: Path,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    known: Collection[str] = (),
    quote: str | None = '"',
) -> Delimited:
    """Open a text table.

    Args:
        path: a plain or gzipped file.
        separator: one of `SEPARATORS`; None for the one that a line `sep=;` names or the first line has most often.
        encoding: None to find out.
        header: whether the first line has names; None to find out: it has none if one of its fields is a number.
        known: names that a header would have.
        quote: the character around fields with a separator, or None.

    Raises:
        DataError: no such file, empty, a bomb, or a name occurs twice.
    """
    data, note = decode(path, encoding)
    with path.open("rb") as file:
        head = file.read(_HEAD) if data is None else data[:_HEAD]
    line, named = _first_line(head)
    separator = (
        separator
        or named
        or _find_separator(line, _USUAL.get(Path(path.name.removesuffix(".gz")).suffix.lower(), ","))
    )
    fields = _fields(line, separator, quote)
    if header is None:
        header = any(name in known for name in fields) or not _has_number(fields)
    if header:
        _refuse_repeated(fields, path)
    if separator in (_DOUBLE, " "):
        data = path.read_bytes() if data is None else data
        data = (
            re.sub(rb"(?m)^ +| +$", b"", re.sub(b" +", b" ", data))
            if separator == " "
            else data.replace(b"::", _UNIT.encode())
        )
        separator = separator if separator == " " else _UNIT
    source = path if data is None else io.BytesIO(data)
    with reading(str(path)):
        scan = pl.scan_csv(
            source,
            separator=separator,
            quote_char=quote,
            infer_schema=False,
            glob=False,
            has_header=header,
            skip_lines=1 if named else 0,
        )
        if not header:
            names = scan.collect_schema().names()
            scan = scan.rename(dict(zip(names, map(str, range(1, len(names) + 1)), strict=True)))
    return Delimited(scan, fields, header, () if note is None else (note,))


def _first_line(head: bytes) -> tuple[str, str | None]:
    """Return the first line that is not empty, and the separator if the line before it names one."""
    # Not splitlines, which ends a line at other characters too, such as U+2028.
    lines = re.split("\r?\n", head.decode("utf-8", "replace").removeprefix("\ufeff"))
    named = _NAMED.fullmatch(lines[0].strip()) if lines else None
    first = next((line for line in lines[1 if named else 0 :] if line.strip()), "")
    return first, named["separator"] if named else None


def _find_separator(line: str, usual: str) -> str:
    """Return the separator that a line has most often; among equals, and if it has none, the usual one."""
    counts = Counter({separator: line.count(separator) for separator in SEPARATORS if separator != " "})
    counts[usual] += 0.5  # type: ignore[assignment]
    best = max(counts, key=lambda separator: counts[separator])
    return " " if counts[best] < 1 and " " in line.strip() else best


def _fields(line: str, separator: str, quote: str | None) -> tuple[str, ...]:
    if separator == _DOUBLE:
        return tuple(line.split(_DOUBLE))
    if quote is None:
        return tuple(line.split(separator))
    return tuple(
        next(
            csv.reader(
                [line.strip(" ") if separator == " " else line],
                delimiter=separator,
                skipinitialspace=separator == " ",
            ),
            [],
        )
    )


def _has_number(fields: tuple[str, ...]) -> bool:
    if list(fields) in ([str(place + start) for place in range(len(fields))] for start in (0, 1)):
        return False  # the names that pandas gives
    return any(map(_is_number, fields))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def _refuse_repeated(fields: tuple[str, ...], path: Path) -> None:
    for name, count in Counter(fields).items():
        if count > 1 and name:
            raise DataError(f"{path} has {count} columns called {name!r}; rename or remove all but one")
