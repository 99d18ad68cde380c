"""Photos from a folder, a zip or a tar, read member by member; nothing is extracted to a path of theirs."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import IO

from prism_rec.errors import InputError
from prism_rec.features.images.outcome import Failure

Photo = tuple[str, bytes | Failure]


def read_photos(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    """Yield each wanted name with its bytes or the failure to have them, in the order that reads fastest.

    Args:
        place: a folder, a .zip, or a .tar, plain or compressed.
        names: names relative to the folder, or of members of the archive (a leading `./` there is of no
            account).
        max_bytes: a longer photo is the failure `too-many-bytes`.

    Yields:
        name and bytes; or name and `no-such-photo` (may pass), `path-refused`, `too-many-bytes`,
        `unreadable`.

    Raises:
        InputError: `place` does not exist, is of another kind, or is damaged.
    """
    if place.is_dir():
        photos = _read_folder(place, names, max_bytes)
    elif not place.is_file():
        raise InputError(f"{place}: no such folder or archive of photos")
    elif zipfile.is_zipfile(place):
        photos = _read_zip(place, names, max_bytes)
    elif tarfile.is_tarfile(place):
        photos = _read_tar(place, names, max_bytes)
    else:
        raise InputError(f"{place}: neither a folder nor a zip or tar archive")
    missing = set(names)
    for name, photo in photos:
        missing.discard(name)
        yield name, photo
    for name in sorted(missing):
        yield name, Failure("no-such-photo", may_pass=True)


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
    try:
        with zipfile.ZipFile(place) as archive:
            wanted = set(names)
            for member in archive.infolist():
                name = member.filename.removeprefix("./")
                if name in wanted and not member.is_dir():
                    wanted.remove(name)
                    yield name, _read_zipped(archive, member, max_bytes)
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(place, error) from None


def _read_zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes | Failure:
    try:
        with archive.open(member) as file:
            return _read_within(file, max_bytes)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
    ):  # the last: encrypted, unknown compression
        return Failure("unreadable", may_pass=True)


def _read_tar(place: Path, names: Set[str], max_bytes: int) -> Iterator[Photo]:
    try:
        with tarfile.open(place) as archive:
            wanted = set(names)
            for member in archive:
                name = member.name.removeprefix("./")
                if name in wanted and (file := archive.extractfile(member) if member.isreg() else None):
                    wanted.remove(name)
                    yield name, _read_within(file, max_bytes)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise _damaged(place, error) from None


def _read_within(file: IO[bytes], max_bytes: int) -> bytes | Failure:
    content = file.read(max_bytes + 1)
    return content if len(content) <= max_bytes else Failure("too-many-bytes")


def _damaged(place: Path, error: Exception) -> InputError:
    return InputError(f"{place}: damaged ({error}); get the archive again, what was read of it is kept")
