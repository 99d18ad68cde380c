"""The append-only record of outcomes. It makes a run that was killed at any moment safe to resume.

The first line has the settings that stored pictures depend on. Each further line is one outcome, written with one call
as soon as its picture is in the folder. A written line survives the death of the process. Twice a second the file is
also forced to the disk, against the death of the machine. A line that was cut or changed is dropped, and its source is
visited again. The latest line of a source counts.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from prism_rec.errors import FolderError
from prism_rec.features.images.outcome import Picture, SourceOutcome
from prism_rec.features.images.sources import recorded_name
from prism_rec.files import hash_file

_FORCE_EVERY = 0.5
_CHECK = ', "check": "'
"""Is followed by the CRC-32 of the line before it."""


def require_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Refuse to continue a journal that was made with other settings; an empty or missing journal is accepted.

    Raises:
        FolderError: the journal has other settings, or the file is not a journal.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
    except FileNotFoundError:
        return
    made_with = _entry_of(first.removesuffix(b"\n")) if first.endswith(b"\n") else settings
    if made_with == settings:
        return
    if made_with is None or made_with.keys() != settings.keys():
        raise FolderError(
            f"{path} was changed after it was written, or is not of this version of prism-rec; name another folder"
        )
    others = [
        f"`{key}` {made_with[key]}, not {value}" for key, value in settings.items() if made_with[key] != value
    ]
    raise FolderError(f"{path.parent} was made with {'; '.join(others)}; use that, or name another folder")


class Journal:
    """Opens (or starts) the journal of a folder. Hold the folder `locked`: there must be one writer.

    A picture is forgotten if its file is missing or was changed, so that its source is visited again.

    Args:
        path: the journal file, next to `pictures/`.
        settings: JSON values that stored pictures depend on; `require_settings` compares them.

    Attributes:
        outcomes: the latest outcome by the recorded name of its source.
        damaged: number of lines and pictures that were changed after they were written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._forced = time.monotonic()
        self._path = path
        try:
            with self._named():
                self.outcomes, self.damaged = _read(self._file, settings)
        except BaseException:
            os.close(self._file)
            raise
        for outcome in list(self.outcomes.values()):
            if outcome.picture is not None and not _is_stored(path.parent, outcome.picture):
                del self.outcomes[outcome.source]
                self.damaged += 1

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._named():
                os.fsync(self._file)
        finally:
            os.close(self._file)

    def outcome_of(self, source: str) -> SourceOutcome | None:
        """Return the latest outcome of a source; None if it was not visited."""
        return self.outcomes.get(recorded_name(source))

    def record(self, outcome: SourceOutcome) -> None:
        """Append one outcome, without credentials. Its picture, if there is one, is in the folder already."""
        outcome = replace(outcome, source=recorded_name(outcome.source))
        with self._named():
            _append(self._file, asdict(outcome))
        self.outcomes[outcome.source] = outcome
        if time.monotonic() - self._forced >= _FORCE_EVERY:
            with self._named():
                os.fsync(self._file)
            self._forced = time.monotonic()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Give errors of the system the name of the file."""
        try:
            yield
        except OSError as error:
            error.filename = str(self._path)
            raise


def _append(file: int, entry: Mapping[str, Any]) -> None:
    text = json.dumps({key: value for key, value in entry.items() if value is not None}).removesuffix("}")
    content = f'{text}{_CHECK}{zlib.crc32(text.encode()):08x}"}}\n'.encode("ascii")
    while content:
        content = content[os.write(file, content) :]


def _read(file: int, settings: Mapping[str, Any]) -> tuple[dict[str, SourceOutcome], int]:
    """Return the outcomes, and the number of damaged lines; the line that a killed run was writing does not count."""
    with open(file, "rb", closefd=False) as stream:
        stream.seek(0)
        content = stream.read()
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(file, len(whole))
    if not whole:
        _append(file, settings)
    outcomes = [_parse(line) for line in whole.split(b"\n")[1:-1]]
    return {outcome.source: outcome for outcome in outcomes if outcome}, outcomes.count(None)


def _entry_of(line: bytes) -> dict[str, Any] | None:
    """Return the values of a line; None if it was changed, or if `_append` did not write it."""
    text, _, check = line.rpartition(_CHECK.encode())
    if check != b'%08x"}' % zlib.crc32(text):
        return None
    try:
        entry: dict[str, Any] = json.loads(text + b"}")
    except ValueError:
        return None
    return entry


def _parse(line: bytes) -> SourceOutcome | None:
    entry = _entry_of(line)
    if entry is None:
        return None
    try:
        picture = entry.pop("picture", None)
        return SourceOutcome(**entry, picture=Picture(**picture) if picture else None)
    except (TypeError, AttributeError):
        return None


def _is_stored(folder: Path, picture: Picture) -> bool:
    path = folder / picture.file
    try:
        return path.stat().st_size == picture.stored and hash_file(path) == picture.stored_sha256
    except OSError:
        return False
