"""Steps that are done once: each is passed over while its folder is whole and nothing that it depends on changed.

What a step depends on: its settings, the content of its inputs, and the version of prism-rec.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_rec.errors import InputError
from prism_rec.folders import hash_file, require_folder, write_text_atomically
from prism_rec.version import VERSION


@dataclass(frozen=True)
class Step:
    """One step of a chain.

    Attributes:
        name: the step's name in the record and to the user; each once in a chain.
        folder: where it writes.
        stage: what the manifest of that folder calls it.
        settings: JSON values that its output depends on.
        inputs: files that its output depends on.
        run: does it.
        check: raises what is wrong with the settings, as far as that can be told before anything is done.
    """

    name: str
    folder: Path
    stage: str
    settings: Mapping[str, Any]
    inputs: tuple[Path, ...]
    run: Callable[[], None]
    check: Callable[[], object] = lambda: None


def run_chain(steps: Sequence[Step], record_file: Path, tell: Callable[[str], None]) -> None:
    """Do the steps that are not done yet, in order; safe to kill and to call again.

    Args:
        steps: each may read what those before it write.
        record_file: JSON; what each step was last done with, written after each.
        tell: called with a line when a step begins or is passed over.

    Raises:
        InputError: an input is missing, or whatever a step finds wrong; what earlier steps made is kept.
    """
    for step in steps:
        if not _is_whole(step):  # all of them before the first is begun, which may take hours
            step.check()
    record = _read_record(record_file)
    for step in steps:
        before = record.get(step.name, {})
        now = {
            "prism_rec": VERSION,
            "settings": step.settings,
            "inputs": _fingerprints(step.inputs, before.get("inputs", {})),
        }
        if _is_whole(step) and _essence(before) == _essence(now):
            tell(f"{step.name}: done before")
        else:
            tell(f"{step.name}: {step.folder}")
            step.run()
        record[step.name] = now
        write_text_atomically(record_file, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def files_in(path: Path) -> list[Path]:
    """Return the files of a folder, in the order of their names, or the file itself, there or not."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _is_whole(step: Step) -> bool:
    with suppress(InputError):
        require_folder(step.folder, step.stage)
        return True
    return False


def _essence(done: Mapping[str, Any]) -> tuple[Any, Any, dict[str, str]]:
    hashes = {path: facts["sha256"] for path, facts in done.get("inputs", {}).items()}
    return done.get("prism_rec"), done.get("settings"), hashes


def _fingerprints(paths: Iterable[Path], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return size, time of change and hash by path; a file of the size and time of before is not read again."""
    found = {}
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            raise InputError(f"{path}: no such file; check the path") from None
        facts: dict[str, Any] = {"bytes": state.st_size, "changed": state.st_mtime_ns}
        known = before.get(str(path), {})
        facts["sha256"] = known["sha256"] if {**known, **facts} == known else hash_file(path)
        found[str(path)] = facts
    return found


def _read_record(path: Path) -> dict[str, Any]:
    """Return the record; one that cannot be read only means that every step is done again."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for done in record.values():
            _essence(done)
        return record
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
