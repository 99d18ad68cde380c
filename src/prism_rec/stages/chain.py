"""Steps that are done once: a step is skipped while its folder is complete and nothing that it depends on changed.

A step depends on its settings, on the content of its inputs, and on the version of prism-rec.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_rec.errors import DataError
from prism_rec.events import Events
from prism_rec.folders import hash_file, is_finished, write_text_atomically
from prism_rec.version import VERSION


@dataclass(frozen=True)
class Step:
    """One step of a chain.

    Attributes:
        name: the step's name in the record and in notes; unique in a chain.
        folder: where it writes.
        stage: the stage in the manifest of that folder.
        settings: JSON values that its output depends on.
        inputs: files that its output depends on.
        run: does it.
        check: raises the mistakes in the settings that can be found before anything is done.
    """

    name: str
    folder: Path
    stage: str
    settings: Mapping[str, Any]
    inputs: tuple[Path, ...]
    run: Callable[[], None]
    check: Callable[[], None] = lambda: None


def run_chain(steps: Sequence[Step], record_file: Path, events: Events = Events()) -> None:
    """Do the steps that are not done yet, in order; safe to kill and to call again.

    Args:
        steps: each may read the output of the steps before it.
        record_file: JSON; what each step was last done with, written after each step.
        events: hears a note when a step begins or is skipped.

    Raises:
        InputError: an input is missing, or a step fails; the output of earlier steps is kept.
    """
    for step in steps:
        if not is_finished(step.folder, step.stage):  # checked before the first step, which may take hours
            step.check()
    record = _read_record(record_file)
    for step in steps:
        before = record.get(step.name, {})
        now = {
            "prism_rec": VERSION,
            "settings": step.settings,
            "inputs": _fingerprints(step.inputs, before.get("inputs", {})),
        }
        if is_finished(step.folder, step.stage) and _essence(before) == _essence(now):
            events.note(f"{step.name}: done before")
        else:
            again = (
                f" is replaced: {_difference(before, now)}" if is_finished(step.folder, step.stage) else ""
            )
            events.note(f"{step.name}: {step.folder}{again}")
            step.run()
        record[step.name] = now
        write_text_atomically(record_file, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def files_in(path: Path) -> list[Path]:
    """Return the files of a folder in the order of their names, or the file itself, whether it exists or not."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _essence(done: Mapping[str, Any]) -> tuple[Any, Any, dict[str, str]]:
    hashes = {path: facts["sha256"] for path, facts in done.get("inputs", {}).items()}
    return done.get("prism_rec"), done.get("settings"), hashes


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return why a finished step is done again."""
    if not before:
        return "there is no record of how it was made"
    old, new = before.get("settings", {}), now["settings"]
    settings = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if settings:
        return f"other settings ({', '.join(settings)})"
    files = [path for path, digest in _essence(now)[2].items() if _essence(before)[2].get(path) != digest]
    if files or len(_essence(before)[2]) != len(_essence(now)[2]):
        return f"other input files ({', '.join(Path(path).name for path in files) or 'fewer than before'})"
    return "another version of prism-rec made it"


def _fingerprints(paths: Iterable[Path], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return size, time of change and hash by path; a file with the size and time of before is not read again."""
    found = {}
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            raise DataError(f"{path}: no such file; check the path") from None
        if path.is_dir():
            raise DataError(f"{path} is a folder; give a file")
        facts: dict[str, Any] = {"bytes": state.st_size, "changed": state.st_mtime_ns}
        known = before.get(str(path), {})
        facts["sha256"] = known["sha256"] if {**known, **facts} == known else hash_file(path)
        found[str(path)] = facts
    return found


def _read_record(path: Path) -> dict[str, Any]:
    """Return the record; if it cannot be read, every step is done again."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for done in record.values():
            _essence(done)
        return record
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
