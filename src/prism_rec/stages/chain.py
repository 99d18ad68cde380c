"""Steps that are done once: a step is skipped while its folder is complete and nothing that it depends on changed.

A step depends on its settings, on the content of its inputs, and on the version of prism-rec.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from prism_rec.errors import DataError, FolderError
from prism_rec.events import Events
from prism_rec.files import hash_file, locked, path_from
from prism_rec.folders import STEPS, check_folder, content_of, is_finished
from prism_rec.records import MANIFEST, UNFINISHED, is_sealed, write_record
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


def run_chain(steps: Sequence[Step], folder: Path, events: Events = Events(), replace: bool = False) -> None:
    """Do the steps that are not done yet, in order; safe to kill and to call again.

    A step is done again if its inputs or the version of prism-rec changed. A step that is finished with other settings
    is refused before anything is done, unless it is to be replaced.

    Args:
        steps: each may read the output of the steps before it.
        folder: has the record of what each step was last done with, `steps.json`; `locked` by the caller.
        events: hears a note when a step begins or is skipped.
        replace: do steps again that are finished with other settings.

    Raises:
        InputError: an input is missing, a folder has something else, a step is finished with other settings, or a
            step fails; the output of earlier steps is kept.
    """
    record = _read_record(folder)
    finished = {step.name: is_finished(step.folder, step.stage) for step in steps}
    for step in steps:  # checked before the first step, which may take hours
        check_folder(step.folder, step.stage, step.inputs)
        if not finished[step.name]:
            step.check()
        elif not replace and (other := _other_settings(record.get(step.name, {}), step)):
            raise FolderError(
                f"{step.folder} was made with {other}; name another folder, or replace what is there with `replace`"
            )
    for step in steps:
        before = record.get(step.name, {})
        now = {
            "prism_rec": VERSION,
            "settings": step.settings,
            "inputs": _fingerprints(step.inputs, folder, before.get("inputs", {})),
        }
        if finished[step.name] and not before.get("begun") and _essence(before) == _essence(now):
            events.note(f"{step.name}: done before")
            _write_record(folder, record | {step.name: now})
        else:
            again = f" is replaced: {_difference(before, now)}" if finished[step.name] else ""
            events.note(f"{step.name}: {step.folder}{again}")
            _do(step, folder, record, now)
        record[step.name] = now


def _do(step: Step, folder: Path, record: dict[str, Any], now: Mapping[str, Any]) -> None:
    """Do a step. While it is done the record says so: if it is ended, it is done again with the same settings.

    A step that fails before it has begun its folder leaves the earlier record.
    """
    existed, state = (folder / STEPS).exists(), _state(step.folder)
    _write_record(folder, record | {step.name: {**now, "begun": True}})
    try:
        with locked(step.folder):
            step.run()
    except BaseException:
        if _state(step.folder) != state:
            raise
        if existed:
            _write_record(folder, record)
        else:
            (folder / STEPS).unlink()
        raise
    _write_record(folder, record | {step.name: now})


def recorded(settings: BaseModel, folder: Path) -> dict[str, Any]:
    """Return settings as JSON values for `Step.settings`, with paths as they are from the step's folder.

    So a path is the same however it is written, and all folders together may be moved.
    """
    values: dict[str, Any] = to_jsonable_python(_from(folder, settings.model_dump()))
    return values


def _from(folder: Path, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _from(folder, item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_from(folder, item) for item in value]
    return path_from(folder, value) if isinstance(value, Path) else value


def _state(folder: Path) -> tuple[str | None, bool]:
    """Return the manifest of a folder, and whether it is unfinished: both change when a stage begins it."""
    manifest = folder / MANIFEST
    return hash_file(manifest) if manifest.is_file() else None, (folder / UNFINISHED).is_file()


def _essence(done: Mapping[str, Any]) -> tuple[Any, Any, dict[str, str]]:
    hashes = {path: facts["sha256"] for path, facts in done.get("inputs", {}).items()}
    return done.get("prism_rec"), done.get("settings"), hashes


def _other_settings(before: Mapping[str, Any], step: Step) -> str | None:
    """Return how the settings of a finished step differ from those that are wanted; None if they are the same."""
    if not before:
        return f"settings that {STEPS} does not have"
    old, new = before.get("settings", {}), step.settings
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return f"other settings ({', '.join(keys)})" if keys else None


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


def _fingerprints(paths: Iterable[Path], folder: Path, before: Mapping[str, Any]) -> dict[str, Any]:
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
        place = path_from(folder, path)
        known = before.get(place, {})
        facts["sha256"] = known["sha256"] if {**known, **facts} == known else hash_file(path)
        found[place] = facts
    return found


def _read_record(folder: Path) -> dict[str, Any]:
    """Return the record; if it was changed after it was written, it is empty.

    Raises:
        FolderError: the file is of another program, in a folder that no stage began.
    """
    path = folder / STEPS
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = ""
    if is_sealed(text):
        record: dict[str, Any] = json.loads(text)
        return {name: done for name, done in record.items() if name != "sha256"}
    if not content_of(folder):
        raise FolderError(f"{path} was not written by prism-rec; name another folder")
    return {}


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    write_record(folder / STEPS, record)
