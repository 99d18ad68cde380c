"""Whole lines of files of any size, in memory of fixed size."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from prism_rec.data.reading import reading
from prism_rec.data.sources.faults import Faults

LONGEST_LINE = 8 * 2**20
"""Bytes; a longer line is left out."""
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


def read_chunks(faults: Faults) -> Iterator[tuple[int, bytes]]:
    r"""Yield some lines at a time, each with its end `\n`, and the number of the first of them, from 1.

    The file is plain or gzipped, whatever its name; its byte order mark is left out. Once all is read,
    `faults.lines` is set and too many unreadable lines are refused.

    Args:
        faults: of the file to read; lines over `LONGEST_LINE` are entered there.

    Raises:
        InputError: no such file, cut short or not gzip, or too many lines left out.
    """
    line, tail = 1, b""
    for block in _read_blocks(faults.path):
        first_end = block.find(b"\n") + 1
        if not first_end:
            tail = (tail + block)[: LONGEST_LINE + 1]  # once too long it stays so, and grows no further
            continue
        if len(tail) + first_end > LONGEST_LINE + 1:
            faults.leave_out(line, _too_long())
            line, tail, block = line + 1, b"", block[first_end:]
        cut = block.rfind(b"\n") + 1
        chunk, tail = tail + block[:cut], block[cut:]
        if chunk:
            yield line, chunk
            line += chunk.count(b"\n")
    if len(tail) > LONGEST_LINE:
        faults.leave_out(line, _too_long())
    elif tail:
        yield line, tail + b"\n"
    faults.lines = line - (not tail)
    faults.require_few()


def read_lines_of(faults: Faults) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank, without white space around it, and its number; see `read_chunks`."""
    for first, chunk in read_chunks(faults):
        for line, content in enumerate(chunk.split(b"\n"), first):
            if stripped := content.strip():
                yield line, stripped


def _read_blocks(path: Path) -> Iterator[bytes]:
    with reading(str(path)), _open(path) as file:
        block = file.read(LONGEST_LINE).removeprefix(_BOM)
        while block:
            yield block
            block = file.read(LONGEST_LINE)


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    """Open a file by what it is: browsers unpack a download and leave it its name."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")


def _too_long() -> str:
    return f"longer than {LONGEST_LINE // 2**20} MiB"
