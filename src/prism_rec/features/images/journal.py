"""The append-only record of outcomes: what makes a run that was killed at any moment safe to resume.

The first line holds the settings that stored pictures depend on; each further line is one outcome, written
with one call as soon as its picture lies in the folder. A line that was written survives the death of the
process; twice a second the file is also forced to the disk, for the death of the machine. A last line that
was cut is dropped, and its source is simply visited again. The latest line of a source counts.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from prism_rec.errors import InputError
from prism_rec.features.images.outcome import Outcome, Picture

_FORCE_EVERY = 0.5


def require_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Refuse to go on with a journal that was made with other settings; an empty or absent one is welcome.

    Raises:
        InputError: it was, or the file is no journal.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
        made_with = json.loads(first) if first.endswith(b"\n") else settings
    except FileNotFoundError:
        return
    except ValueError:
        made_with = None
    if made_with == settings:
        return
    if not isinstance(made_with, dict) or made_with.keys() != settings.keys():
        raise InputError(f"{path} is no journal of this version of prism-rec; name another folder")
    others = [
        f"{key} {made_with[key]}, not {value}" for key, value in settings.items() if made_with[key] != value
    ]
    raise InputError(f"{path.parent} was made with {'; '.join(others)}; ask for that, or name another folder")


class Journal:
    """Opens (or starts) the journal of a folder, alone; `outcomes` holds the latest of each source.

    A picture whose file is missing or of another length is forgotten, so that it is visited again.

    Args:
        path: the journal file, beside `pictures/`.
        settings: JSON values that stored pictures depend on; `require_settings` compares them.

    Raises:
        InputError: another run writes this journal, or a line in it is damaged.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._forced = time.monotonic()
        try:
            _lock(self._file, path)
            self.outcomes = _read(self._file, path, settings)
        except BaseException:
            os.close(self._file)
            raise
        for outcome in list(self.outcomes.values()):
            if outcome.picture is not None and not _is_stored(path.parent, outcome.picture):
                del self.outcomes[outcome.source]

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def record(self, outcome: Outcome) -> None:
        """Append one outcome. Its picture, if any, is in the folder already."""
        _append(self._file, asdict(outcome))
        self.outcomes[outcome.source] = outcome
        if time.monotonic() - self._forced >= _FORCE_EVERY:
            os.fsync(self._file)
            self._forced = time.monotonic()


def _lock(file: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(
            f"{path.parent}: another run is writing there; wait for it or name another folder"
        ) from None


def _append(file: int, entry: Mapping[str, Any]) -> None:
    line = json.dumps({key: value for key, value in entry.items() if value is not None}) + "\n"
    content = line.encode("ascii")
    while content:
        content = content[os.write(file, content) :]


def _read(file: int, path: Path, settings: Mapping[str, Any]) -> dict[str, Outcome]:
    with open(file, "rb", closefd=False) as stream:
        stream.seek(0)
        content = stream.read()
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(file, len(whole))
    if not whole:
        _append(file, settings)
    outcomes = (_parse(line, path, number) for number, line in enumerate(whole.splitlines()[1:], 2))
    return {outcome.source: outcome for outcome in outcomes}


def _parse(line: bytes, path: Path, number: int) -> Outcome:
    try:
        entry = json.loads(line)
        picture = entry.pop("picture", None)
        return Outcome(**entry, picture=Picture(**picture) if picture else None)
    except (ValueError, TypeError, AttributeError):
        raise InputError(
            f"{path}, line {number}: damaged; delete the line, its source is then visited again"
        ) from None


def _is_stored(folder: Path, picture: Picture) -> bool:
    try:
        return (folder / picture.file).stat().st_size == picture.stored
    except OSError:
        return False
