"""The lines of one large file, in fixed memory, with a count of the lines and fields that cannot be used."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prism_rec.data.raw_log import UNREADABLE
from prism_rec.data.sources.decoding import unpack
from prism_rec.errors import DataError

LONGEST_LINE = 8 * 2**20
"""Bytes; a longer line is skipped."""
MOST_UNREADABLE = 0.01
"""Share of a file's lines that may be skipped; with more, it is the wrong file or a damaged one."""
_MOST_NOTES = 5
_BOM = b"\xef\xbb\xbf"


class LineReader:
    """Reads a file once, whole lines at a time, and collects its faults.

    Args:
        path: a plain or gzipped file, whatever its name.

    Attributes:
        lines: number of lines; set when the whole file was read.
        unreadable: number of skipped lines.
        odd_fields: number of fields of other lines that have an unusable value and count as empty.
        notes: one line each on the first few of both, with file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.unreadable = 0
        self.odd_fields = 0
        self.notes: list[str] = []

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        r"""Yield some lines at a time, each with its end `\n`, and the number of the first of them, from 1.

        A byte order mark is removed. A line longer than `LONGEST_LINE` is skipped.

        Raises:
            DataError: no such file, cut short, not gzip, or too many lines skipped.
        """
        line, tail = 1, b""
        for block in self._blocks():
            first_end = block.find(b"\n") + 1
            if not first_end:
                tail = (tail + block)[: LONGEST_LINE + 1]  # a line that is too long grows no further
                continue
            if len(tail) + first_end > LONGEST_LINE + 1:
                self.skip(line, _too_long())
                line, tail, block = line + 1, b"", block[first_end:]
            cut = block.rfind(b"\n") + 1
            chunk, tail = tail + block[:cut], block[cut:]
            if chunk:
                yield line, chunk
                line += chunk.count(b"\n")
        if len(tail) > LONGEST_LINE:
            self.skip(line, _too_long())
        elif tail:
            yield line, tail + b"\n"
        self.lines = line - (not tail)
        self._require_few_skipped()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number and content of each line that is not blank, without surrounding white space."""
        for first, chunk in self.chunks():
            for line, content in enumerate(chunk.split(b"\n"), first):
                if stripped := content.strip():
                    yield line, stripped

    def skip(self, line: int, reason: str) -> None:
        """Count a line, numbered from 1, that cannot be used."""
        self.unreadable += 1
        self._note(line, f"{reason}; skipped")

    def leave_empty(self, line: int, reason: str) -> None:
        """Count a field that cannot be used."""
        self.odd_fields += 1
        self._note(line, f"{reason}; left empty")

    def _note(self, line: int, text: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(f"{self.path.name}, line {line}: {text}")

    def _require_few_skipped(self) -> None:
        if self.unreadable > MOST_UNREADABLE * self.lines:
            raise DataError(
                f"{self.path}: {self.unreadable:,} of {self.lines:,} lines cannot be read, more than "
                f"{MOST_UNREADABLE:.0%} ({self.notes[0].removeprefix(f'{self.path.name}, ')}); "
                "check that it is the right file for this source, and complete"
            )

    def _blocks(self) -> Iterator[bytes]:
        blocks = unpack(self.path, LONGEST_LINE)
        for first in blocks:
            yield first.removeprefix(_BOM)
            yield from blocks


def count_problems(events: LineReader, others: Iterable[LineReader] = ()) -> Mapping[str, Any]:
    """Return `dropped` and `notes` of a `RawLog`; a count of zero is omitted.

    Args:
        events: the reader of the file with one event per line.
        others: readers of the files that describe items.
    """
    others = list(others)
    counts = {
        UNREADABLE: events.unreadable,
        "descriptions_unreadable": sum(reader.unreadable for reader in others),
        "fields_unreadable": sum(reader.odd_fields for reader in (events, *others)),
    }
    return {
        "dropped": {reason: count for reason, count in counts.items() if count},
        "notes": tuple(note for reader in (events, *others) for note in reader.notes),
    }


def _too_long() -> str:
    return f"longer than {LONGEST_LINE // 2**20} MiB"
