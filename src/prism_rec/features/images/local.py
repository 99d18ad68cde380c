"""Photos from a folder, a zip or a tar, read member by member; nothing is extracted to a path from the archive."""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import IO

from prism_rec.errors import DataError, InputError, SettingsError
from prism_rec.features.images.outcome import Failure

Photo = tuple[str, bytes | Failure]

# The exceptions that readers raise on damaged or foreign archives, found by damaging many.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # a password is needed, or a method is not known
    ValueError,
)


def read_photos(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    """Yield each wanted name with its bytes or a failure, in the order that reads fastest.

    Args:
        place: a folder, a .zip, or a .tar, plain or compressed.
        names: names relative to the folder, or of members of the archive, with or without the folder that was
            packed (`photos/a.jpg` is also `a.jpg`).
        max_bytes: a longer photo is the failure `too-many-bytes`.

    Yields:
        name and bytes; or name and `no-such-photo` (may pass), `path-refused`, `too-many-bytes`,
        `unreadable`.

    Raises:
        SettingsError: `place` does not exist or is not a folder or archive.
        DataError: the archive is damaged.
    """
    missing = set(names)
    try:
        for name, photo in _read(place, names, max_bytes):
            missing.discard(name)
            yield name, photo
    except InputError:
        raise
    except _DAMAGE as error:
        raise DataError(f"{place} cannot be read ({error}); fetch it again, finished work is kept") from None
    for name in sorted(missing):
        yield name, Failure("no-such-photo", may_pass=True)


def _read(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    if place.is_dir():
        return _read_folder(place, names, max_bytes)
    if not place.is_file():
        raise SettingsError(f"{place}: no such folder or archive of photos; check `local`")
    if zipfile.is_zipfile(place):
        return _read_zip(place, names, max_bytes)
    if tarfile.is_tarfile(place):
        return _read_tar(place, names, max_bytes)
    raise SettingsError(f"{place}: neither a folder nor a zip or tar archive; check `local`")


def _read_folder(folder: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    root = folder.resolve()
    for name in sorted(names):
        try:
            path = (root / name).resolve()
            if not path.is_relative_to(root):
                yield name, Failure("path-refused")
            elif path.is_file():
                with path.open("rb") as file:
                    yield name, _read_within(file, max_bytes)
        except ValueError:  # a zero byte in the name
            yield name, Failure("path-refused")
        except OSError:
            yield name, Failure("unreadable", may_pass=True)


def _read_zip(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    wanted = set(names)
    with zipfile.ZipFile(place) as archive:
        for member in archive.infolist():
            name = _find_name(member.filename, wanted)
            if name and not member.is_dir():
                wanted.remove(name)
                yield name, _read_zipped(archive, member, max_bytes)


def _read_zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes | Failure:
    try:
        with archive.open(member) as file:
            return _read_within(file, max_bytes)
    except _DAMAGE:
        return Failure("unreadable", may_pass=True)


def _read_tar(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    wanted = set(names)
    with tarfile.open(place) as archive:
        for member in archive:
            name = _find_name(member.name, wanted)
            if name and (file := archive.extractfile(member) if member.isreg() else None):
                wanted.remove(name)
                yield name, _read_within(file, max_bytes)


def _find_name(member: str, wanted: Set[str]) -> str | None:
    path = member.removeprefix("./")
    return next((name for name in (path, path.partition("/")[2]) if name in wanted), None)


def _read_within(file: IO[bytes], max_bytes: int) -> bytes | Failure:
    content = file.read(max_bytes + 1)
    return content if len(content) <= max_bytes else Failure("too-many-bytes")
