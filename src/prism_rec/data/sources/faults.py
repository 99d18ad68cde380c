"""What is wrong with single lines of a large file: counted, the first few told, too many refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prism_rec.errors import InputError

MOST_UNREADABLE = 0.01
"""Share of a file's lines that may be left out; with more, it is the wrong file or a damaged one."""
_TOLD = 5


class Faults:
    """Collects the faults of one file while it is read.

    Attributes:
        path: the file.
        lines: how many lines it has; set when all are read.
        unreadable: lines left out.
        odd_fields: fields of other lines left empty, since they hold something else than they should.
        notes: the first few of both, one line each.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.unreadable = 0
        self.odd_fields = 0
        self.notes: list[str] = []

    def leave_out(self, line: int, reason: str) -> None:
        """Note a line, counted from 1, that cannot be used."""
        self.unreadable += 1
        self._tell(line, f"{reason}; left out")

    def leave_empty(self, line: int, reason: str) -> None:
        """Note a field that cannot be used."""
        self.odd_fields += 1
        self._tell(line, f"{reason}; left empty")

    def require_few(self) -> None:
        """Refuse the file if too large a share of it was left out.

        Raises:
            InputError: more than `MOST_UNREADABLE` of the lines; names the first.
        """
        if self.unreadable > MOST_UNREADABLE * self.lines:
            raise InputError(
                f"{self.path}: {self.unreadable:,} of {self.lines:,} lines cannot be read, more than "
                f"{MOST_UNREADABLE:.0%} ({self.notes[0].removeprefix(f'{self.path.name}, ')}); "
                "check that it is the right file for this source, and whole"
            )

    def _tell(self, line: int, what: str) -> None:
        if len(self.notes) < _TOLD:
            self.notes.append(f"{self.path.name}, line {line}: {what}")


def sum_faults(faults: Iterable[Faults]) -> Mapping[str, Any]:
    """Return `dropped` and `notes` as a `RawLog` has them; nothing is dropped where nothing was wrong."""
    faults = list(faults)
    counts = {
        "lines_unreadable": sum(fault.unreadable for fault in faults),
        "fields_unreadable": sum(fault.odd_fields for fault in faults),
    }
    return {
        "dropped": {reason: count for reason, count in counts.items() if count},
        "notes": tuple(note for fault in faults for note in fault.notes),
    }
