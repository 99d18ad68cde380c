"""Stage folders: every stage writes one folder, and its manifest last.

A folder without a manifest is unfinished. A folder whose files differ from the manifest is damaged. Neither is read.
While a stage works, `unfinished.json` has the place of the manifest and names what the stage may write. So a stage
writes only into a folder that is empty or that the stage began, replaces and deletes only names that it wrote, and
follows no link inside.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from prism_rec.errors import DamagedError, FolderError
from prism_rec.files import LOCK, PARTIAL, hash_file
from prism_rec.records import MANIFEST, UNFINISHED, changed_record, read_manifest, read_record, write_record
from prism_rec.version import VERSION

STEPS = "steps.json"
"""What the steps of a chain were done with."""


def check_folder(folder: Path, stage: str, inputs: Iterable[Path] = ()) -> None:
    """Refuse a folder that a stage may not write, before any work is done for it.

    Args:
        folder: the stage's output folder.
        stage: the stage's name.
        inputs: files and folders that the stage reads.

    Raises:
        FolderError: it is a file, is or has an input, has another stage's output, or has files of others.
    """
    place = folder.resolve()
    for path in inputs:
        if path.resolve().is_relative_to(place):
            what = "is" if path.resolve() == place else "has"
            raise FolderError(f"{folder} {what} the input {path}; name another folder for the output")
    if folder.is_symlink() and not folder.exists():
        raise FolderError(
            f"{folder} is a link to a place that does not exist; make that folder, or name another one"
        )
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file; name a folder for the output")
    record = read_record(folder)
    if record is None and (others := content_of(folder)):
        raise FolderError(f"{folder} has {others[0]}, and {stage} was not begun there; name another folder")
    if record is not None and record.get("stage") != stage:
        raise _refusal(folder, f"{folder} has another stage's output; name an empty folder")


def _refusal(folder: Path, why: str) -> FolderError:
    """Return the error for a refused folder: `why`, unless the record was changed and cannot be trusted."""
    changed = changed_record(folder)
    if changed is None:
        return FolderError(why)
    return DamagedError(f"{changed} was changed after it was written; name another folder")


def check_empty(folder: Path, resumes: bool = True) -> None:
    """Refuse a folder that has any content but the lock.

    Args:
        folder: need not exist.
        resumes: the caller has a setting `resume`.

    Raises:
        FolderError: the folder has content.
    """
    if content_of(folder):
        otherwise = ", or continue the work with `resume`" if resumes else ""
        raise FolderError(f"{folder} has earlier work in it; name an empty folder{otherwise}")


def content_of(folder: Path) -> list[str]:
    """Return the names in a folder except lock and records; empty if there is no such folder.

    A process that was killed may have left a part of its first record. This part does not count as content.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return sorted(names - {LOCK, STEPS} - {f"{name}{PARTIAL}" for name in (STEPS, MANIFEST, UNFINISHED)})


def begin_folder(folder: Path, stage: str, files: Iterable[str] = ()) -> None:
    """Make `folder` unfinished, and claim names in it; to be called again before further names are written.

    Args:
        folder: new, empty, or begun by the same stage.
        stage: the stage's name.
        files: names that the stage is going to write, relative to the folder; files and folders.

    Raises:
        FolderError: see `check_folder`; or a name is a file of somebody else, or leads through a link.
    """
    check_folder(folder, stage)
    owned, wanted = _claimed(read_record(folder) or {}), set(files)
    for name in sorted(wanted):
        refuse_links(folder, name)
        if name not in owned and os.path.lexists(folder / name):
            raise _refusal(
                folder,
                f"{folder / name} was not written by {stage}; move it, or name another folder for the output",
            )
    if (folder / UNFINISHED).exists() and wanted <= owned:
        return
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MANIFEST).exists():
        os.replace(folder / MANIFEST, folder / UNFINISHED)
    record = {"stage": stage, "prism_rec": VERSION, "files": {}, "claimed": sorted(owned | wanted)}
    write_record(folder / UNFINISHED, record)


def finish_folder(
    folder: Path,
    stage: str,
    config: Mapping[str, Any],
    files: Iterable[str],
    inputs: Iterable[Path] = (),
    kept: Iterable[str] = (),
    **facts: Any,
) -> None:
    """Write the manifest: what was made, from which inputs, by which version; then delete other claimed files.

    Args:
        folder: the stage's output folder; `begin_folder` was called.
        stage: the stage's name; `require_folder` compares it.
        config: the resolved settings of the stage, JSON values only.
        files: names of the folder's files, relative to it; each is recorded with its size and hash.
        inputs: files that were read; each is recorded with its hash, under its name and its folder's.
        kept: claimed names that stay claimed, for files that change later and for folders.
        facts: further JSON values for the manifest.
    """
    names = set(files)
    claimed = sorted(_claimed(read_record(folder) or {}) - names)
    manifest = {
        "stage": stage,
        "prism_rec": VERSION,
        "config": dict(config),
        "inputs": hashes_of(inputs),
        "files": {name: _facts(folder / name) for name in sorted(names)},
        **({"claimed": claimed} if claimed else {}),
        **facts,
    }
    write_record(folder / UNFINISHED, manifest)
    os.replace(folder / UNFINISHED, folder / MANIFEST)
    remove_claimed(folder, kept=names | set(kept))


def hashes_of(inputs: Iterable[Path]) -> dict[str, str]:
    """Return the hashes of files as a manifest has them, under the names of the file and its folder."""
    return {f"{path.parent.name}/{path.name}": hash_file(path) for path in inputs}


def copy_manifest(source: Path, target: Path) -> None:
    """Finish a folder that has the same files as another one."""
    write_record(target / UNFINISHED, read_manifest(source / MANIFEST))
    os.replace(target / UNFINISHED, target / MANIFEST)


def add_files(folder: Path, files: Iterable[str]) -> None:
    """Add files that were written since to the manifest of a finished folder."""
    manifest = read_manifest(folder / MANIFEST)
    manifest["files"] |= {name: _facts(folder / name) for name in files}
    manifest["files"] = dict(sorted(manifest["files"].items()))
    manifest["claimed"] = sorted(set(manifest.get("claimed", ())) - set(manifest["files"]))
    write_record(folder / MANIFEST, manifest)


def add_inputs(folder: Path, inputs: Iterable[Path]) -> None:
    """Add files that a finished folder was made from to its manifest."""
    manifest = read_manifest(folder / MANIFEST)
    write_record(folder / MANIFEST, manifest | {"inputs": manifest["inputs"] | hashes_of(inputs)})


def remove_claimed(folder: Path, kept: Iterable[str] = ()) -> None:
    """Delete the files that the folder's record names, and nothing else; links are not followed."""
    for name in sorted(_claimed(read_record(folder) or {}) - set(kept)):
        path = folder / name
        if path.is_file() and not leads_through_link(folder, name):
            path.unlink()


def remove_folder(folder: Path) -> None:
    """Delete the files that the record of a folder names, the record, and the folder if nothing is left in it."""
    if read_record(folder) is None:
        return
    names = _claimed(read_record(folder) or {})
    remove_claimed(folder)
    for name in (MANIFEST, UNFINISHED):
        (folder / name).unlink(missing_ok=True)
    for part in sorted({part for name in names for part in PurePosixPath(name).parents}, reverse=True):
        with suppress(OSError):  # not empty
            (folder / part).rmdir()


def require_folder(folder: Path, stage: str, *read: str) -> dict[str, Any]:
    """Return the manifest of a finished stage folder.

    Args:
        folder: the folder.
        stage: the stage that should have written it.
        read: names of files that are read next; they are compared with their hashes. All files are compared with
            their sizes.

    Raises:
        FolderError: no such folder, no manifest (unfinished), or another stage's folder.
        DamagedError: files are missing or were changed, or the manifest was.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder; a finished {stage} folder is needed")
    if not (folder / MANIFEST).exists():
        where = "" if (folder / UNFINISHED).exists() or not content_of(folder) else " in another folder"
        raise FolderError(f"{folder} has no {MANIFEST}, so it was never finished; run {stage} again{where}")
    manifest = read_manifest(folder / MANIFEST)
    if manifest.get("stage") != stage:
        raise FolderError(f"{folder} is the output of {manifest.get('stage')!r}; a {stage} folder is needed")
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["bytes"]:
            raise DamagedError(f"{path} is missing or cut short; run {stage} again")
    for name in read:
        if name not in manifest["files"]:
            raise DamagedError(f"{folder / MANIFEST} does not name {name}; run {stage} again")
        if hash_file(folder / name) != manifest["files"][name]["sha256"]:
            raise DamagedError(f"{folder / name} was changed after it was written; run {stage} again")
    return manifest


def require_whole(folder: Path, stage: str) -> dict[str, Any]:
    """Return the manifest of a finished stage folder, of which every file is compared with its hash.

    If the manifest lists that of another folder, such as a run that of its data, the other files are compared too.

    Raises:
        FolderError: see `require_folder`.
    """
    manifest = require_folder(folder, stage, *require_folder(folder, stage)["files"])
    for name in manifest["files"]:
        if PurePosixPath(name).name == MANIFEST:
            require_whole((folder / name).parent, str(read_manifest(folder / name).get("stage")))
    return manifest


def is_finished(folder: Path, stage: str) -> bool:
    """Return whether `require_whole` accepts the folder."""
    try:
        require_whole(folder, stage)
    except FolderError:
        return False
    return True


def check_listed(path: Path) -> None:
    """Compare a file with the manifest of its folder, if a stage wrote the folder and lists the file.

    Raises:
        DamagedError: the file was changed after it was written.
    """
    try:
        manifest = read_manifest(path.parent / MANIFEST)
    except (OSError, FolderError):
        return
    if path.name in manifest["files"]:
        require_folder(path.parent, str(manifest.get("stage")), path.name)


def refuse_links(folder: Path, name: str) -> None:
    """Refuse a name in a folder that is a link or leads through one.

    Raises:
        FolderError: a part of the name is a link.
    """
    if leads_through_link(folder, name):
        raise FolderError(f"{folder / name} is a link or behind one; move it, or name another folder")


def leads_through_link(folder: Path, name: str) -> bool:
    """Return whether a name in a folder, or a folder on the way to it, is a link."""
    parts = PurePosixPath(name).parts
    return any(folder.joinpath(*parts[:depth]).is_symlink() for depth in range(1, len(parts) + 1))


def _facts(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": hash_file(path)}


def _claimed(record: Mapping[str, Any]) -> set[str]:
    """Return the names that a stage wrote or may write; one that leads out of the folder is not among them."""
    paths = (
        {name: PurePosixPath(name) for name in (*record["files"], *record.get("claimed", ()))}
        if record
        else {}
    )
    return {
        name
        for name, path in paths.items()
        if path.parts and not path.is_absolute() and ".." not in path.parts
    }
