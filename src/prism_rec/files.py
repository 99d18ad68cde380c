"""Files that are never half written, and the lock of a folder."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from prism_rec.errors import BusyError, FolderError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
PARTIAL = ".partial"
"""The end of the name of a file that is being written."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file so that a reader sees the old content or the new content, never a part.

    Yields:
        Where to write. The file there is forced to the disk and takes the place of `path` when the block ends
        without an error; after an error it is removed.

    Raises:
        FolderError: the place to write is a link.
        BusyError: another process writes the file.
    """
    partial = path.with_name(path.name + PARTIAL)
    if partial.is_symlink():
        raise FolderError(f"{partial} is a link, which is not followed; move it")
    held = _hold(partial, path)
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        numbered = not isinstance(error, OSError) or error.errno is not None
        named = getattr(error, "filename", None) not in (None, str(partial))
        if isinstance(error, Exception) and numbered and not named:
            error.filename = str(path)  # type: ignore[attr-defined]  # for `machine.explain`
        raise
    finally:
        if held is not None:
            os.close(held)


def _hold(partial: Path, path: Path) -> int | None:
    """Open a partial file and lock it until it is closed, so that two writers never share one; None on Windows."""
    if fcntl is None:
        return None
    while True:
        try:
            file = os.open(partial, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            error.filename = str(path)
            raise
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise BusyError(f"another process writes {path}; wait for it, or name another place") from None
        except OSError:  # a file system without locks
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), partial.stat()):
                return file
        os.close(file)  # the other process has moved or removed it just now


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8; see `replacing`."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, inputs: Iterable[Path] = (), replace: bool = False) -> None:
    """Refuse to write a file over an input, or over any file that is not to be replaced.

    Args:
        path: the file to write.
        inputs: files and folders that are read.
        replace: a file that exists may be replaced, unless it is an input.

    Raises:
        FolderError: the file is an input or in one, is a folder, or exists.
    """
    for given in inputs:
        if given.resolve() == path.resolve():
            raise FolderError(f"{path} is an input too; name another file for the output")
        if path.exists() and given.is_dir() and path.resolve().is_relative_to(given.resolve()):
            raise FolderError(f"{path} is a part of the input {given}; name another file for the output")
    if path.is_dir():
        raise FolderError(f"{path} is a folder; name a file for the output")
    if os.path.lexists(path) and not replace:
        raise FolderError(f"{path} exists; name another file, or replace it with `replace`")


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold a folder against other processes; the system releases it when this process ends.

    The same thread may hold a folder several times. A folder that is empty when it is released is removed.

    Args:
        folder: made if it does not exist.
        wait: wait for another process that holds it.

    Raises:
        BusyError: another process holds it, and `wait` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.resolve() / LOCK, is_singleton=True)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise BusyError(f"another process works in {folder}; wait for it, or name another folder") from None
    try:
        yield
    finally:
        if lock.lock_counter == 1:
            with suppress(OSError):
                if [path.name for path in folder.iterdir()] == [LOCK]:
                    (folder / LOCK).unlink()
                    folder.rmdir()
        lock.release()


def path_from(folder: Path, path: Path) -> str:
    """Return a path as it is from a folder; the absolute path if the two are on different drives of Windows."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return os.path.abspath(path)
