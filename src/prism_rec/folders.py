"""Stage folders: every stage writes one folder whose manifest comes last.

A folder without a manifest, or one whose files differ from it, is unfinished or damaged and is never read.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prism_rec import __version__
from prism_rec.errors import InputError

MANIFEST = "manifest.json"
LOCK = "lock"


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old content or the new, never a part.

    Two writers at once would take each other's partial file: where there may be several, hold the folder `locked`.
    """
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, wait: bool) -> Iterator[None]:
    """Hold a folder, made if need be, against other processes; the system lets go of it when this one ends.

    Raises:
        BlockingIOError: another process holds it, and `wait` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def check_folder(folder: Path, stage: str) -> None:
    """Refuse a folder that is not for a stage to write, before any work is done for it.

    Raises:
        InputError: it is a file, or holds another stage's output.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the output")
    if (folder / MANIFEST).exists() and _read_manifest(folder).get("stage") != stage:
        raise InputError(f"{folder} holds another stage's output; name an empty folder")


def begin_folder(folder: Path, stage: str) -> None:
    """Make `folder` ready for a stage's output: an old manifest goes first, so that what follows is unfinished.

    Raises:
        InputError: see `check_folder`.
    """
    check_folder(folder, stage)
    (folder / MANIFEST).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def finish_folder(
    folder: Path,
    stage: str,
    config: Mapping[str, Any],
    files: Iterable[str],
    inputs: Iterable[Path] = (),
    **facts: Any,
) -> None:
    """Write the manifest: what was made, from which inputs, by which version.

    Args:
        folder: the stage's output folder.
        stage: the stage's name; `require_folder` asks for it.
        config: the resolved settings of the stage, JSON values only.
        files: names of the folder's files, relative to it; each is recorded with its size and hash.
        inputs: files that were read; each is recorded with its hash, under its name and its folder's.
        facts: further JSON values for the manifest.
    """
    manifest = {
        "stage": stage,
        "prism_rec": __version__,
        "config": dict(config),
        "inputs": {f"{path.parent.name}/{path.name}": hash_file(path) for path in inputs},
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": hash_file(folder / name)}
            for name in sorted(files)
        },
        **facts,
    }
    write_text_atomically(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def require_folder(folder: Path, stage: str) -> dict[str, Any]:
    """Return the manifest of a finished stage folder.

    Raises:
        InputError: no such folder, no manifest (unfinished), another stage's, or files missing or of another size.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; a finished {stage} folder is needed")
    if not (folder / MANIFEST).exists():
        raise InputError(f"{folder} has no {MANIFEST}, so it was never finished; run {stage} again")
    manifest = _read_manifest(folder)
    if manifest.get("stage") != stage:
        raise InputError(f"{folder} is the output of {manifest.get('stage')!r}; a {stage} folder is needed")
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["bytes"]:
            raise InputError(f"{path} is missing or cut short; run {stage} again")
    return manifest


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path} is not readable JSON; make the folder again") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise InputError(f"{path} is not a manifest of prism-rec; name an empty folder")
    return manifest
