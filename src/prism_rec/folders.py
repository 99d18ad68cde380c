"""Stage folders: every stage writes one folder, and its manifest last.

A folder without a manifest is unfinished. A folder whose files differ from the manifest is damaged. Neither is read.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from prism_rec.errors import DamagedError, FolderError
from prism_rec.version import VERSION

MANIFEST = "manifest.json"
LOCK = "lock"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file so that a reader sees the old content or the new content, never a part.

    Two writers at once would take each other's partial file: if there may be several, hold the folder `locked`.

    Yields:
        Where to write. The file there is forced to the disk and takes the place of `path` when the block ends
        without an error.
    """
    partial = path.with_name(path.name + ".partial")
    yield partial
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8; see `replacing`."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, wait: bool) -> Iterator[None]:
    """Hold a folder against other processes; the system releases it when this process ends.

    Args:
        folder: made if it does not exist.
        wait: wait for another process that holds it.

    Raises:
        BlockingIOError: another process holds it, and `wait` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=-1 if wait else 0):
            yield
    except Timeout:
        raise BlockingIOError(f"another process works in {folder}") from None


def check_folder(folder: Path, stage: str) -> None:
    """Refuse a folder that a stage may not write, before any work is done for it.

    Raises:
        FolderError: it is a file, or has another stage's output.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file; name a folder for the output")
    if (folder / MANIFEST).exists() and _read_manifest(folder).get("stage") != stage:
        raise FolderError(f"{folder} has another stage's output; name an empty folder")


def check_empty(folder: Path) -> None:
    """Refuse a folder that has any content but the lock.

    Raises:
        FolderError: the folder has content.
    """
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {LOCK}:
        raise FolderError(
            f"{folder} has earlier work in it; name an empty folder, or continue the work with `resume`"
        )


def begin_folder(folder: Path, stage: str) -> None:
    """Make `folder` ready for a stage's output: an old manifest is removed first, so the folder is unfinished.

    Raises:
        FolderError: see `check_folder`.
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
        stage: the stage's name; `require_folder` compares it.
        config: the resolved settings of the stage, JSON values only.
        files: names of the folder's files, relative to it; each is recorded with its size and hash.
        inputs: files that were read; each is recorded with its hash, under its name and its folder's.
        facts: further JSON values for the manifest.
    """
    manifest = {
        "stage": stage,
        "prism_rec": VERSION,
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
        FolderError: no such folder, no manifest (unfinished), or another stage's folder.
        DamagedError: files are missing or have another size.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder; a finished {stage} folder is needed")
    if not (folder / MANIFEST).exists():
        raise FolderError(f"{folder} has no {MANIFEST}, so it was never finished; run {stage} again")
    manifest = _read_manifest(folder)
    if manifest.get("stage") != stage:
        raise FolderError(f"{folder} is the output of {manifest.get('stage')!r}; a {stage} folder is needed")
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["bytes"]:
            raise DamagedError(f"{path} is missing or cut short; run {stage} again")
    return manifest


def is_finished(folder: Path, stage: str) -> bool:
    """Return whether `require_folder` accepts the folder."""
    try:
        require_folder(folder, stage)
    except FolderError:
        return False
    return True


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DamagedError(f"{path} is not readable JSON; make the folder again") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise FolderError(f"{path} is not a manifest of prism-rec; name an empty folder")
    return manifest
