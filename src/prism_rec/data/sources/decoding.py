"""The bytes of text files: packed or plain, in any usual encoding, and never larger than the memory."""

import codecs
import gzip
from collections.abc import Iterator
from pathlib import Path

from prism_rec.data.reading import reading
from prism_rec.errors import DataError

_GZIP = b"\x1f\x8b"
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins like the next
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
MOST_UNPACKED = 64 * 2**20
"""Bytes from which the ratio is checked."""
LARGEST_RATIO = 100
"""Texts are packed to a third or a tenth; a file that grows more often is a bomb."""


def unpack(path: Path, size: int = 2**20) -> Iterator[bytes]:
    """Yield the content of a file, unpacked if it is gzip, whatever its name, `size` bytes at a time.

    Raises:
        DataError: no such file, cut short, or packed twice, or growing like no real text.
    """
    with reading(str(path)), path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        file = gzip.GzipFile(fileobj=raw) if packed else raw
        unpacked = 0
        while block := file.read(size):
            if packed and not unpacked and block.startswith(_GZIP):
                raise DataError(f"{path} is packed twice; unpack it once")
            unpacked += len(block)
            if packed and unpacked > max(MOST_UNPACKED, LARGEST_RATIO * raw.tell()):
                raise DataError(
                    f"{path} unpacks to more than {LARGEST_RATIO} times its size; unpack it yourself if you trust it"
                )
            yield block


def decode(path: Path, encoding: str | None = None) -> tuple[bytes | None, str | None]:
    """Return a text file as UTF-8 without a byte order mark, and a note if the encoding was guessed.

    UTF-8 is the rule; UTF-16 is known by its byte order mark. Anything else is read as Windows-1252, or as Latin-1 if
    it has bytes that Windows-1252 does not have.

    Args:
        path: a plain or gzipped file.
        encoding: its encoding; None to find out.

    Returns:
        The bytes, or None if the file is plain UTF-8 and may be read as it is; the note or None.

    Raises:
        DataError: no such file, cut short, a bomb, empty, or not in the given encoding.
    """
    blocks = unpack(path)
    first = next(blocks, b"")
    if not first.strip():
        raise DataError(f"{path} is empty; at least one line is needed")
    line = first.partition(b"\n")[0]
    if encoding is None and not first.startswith(tuple(_WIDE)) and b"\0" in line:
        raise DataError(
            f"{path}, line 1: not text, or UTF-16 without a mark; give its encoding in `encoding`"
        )
    if encoding is None and b"\r" in line.rstrip(b"\r") and b"\n" not in first:
        raise DataError(f"{path}: lines end with a carriage return only; save it with other ends of lines")
    with path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    wide = next((name for mark, name in _WIDE.items() if first.startswith(mark)), None)
    if (encoding or wide) is None and not is_packed and _is_utf8(first, blocks):
        return None, None
    data = b"".join((first, *blocks)) if is_packed else path.read_bytes()
    return _as_utf8(path, data, encoding or wide)


def _is_utf8(first: bytes, blocks: Iterator[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(first)
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(path: Path, data: bytes, encoding: str | None) -> tuple[bytes, str | None]:
    try:
        text = data.decode(encoding or "utf-8")
        return (
            data.removeprefix(codecs.BOM_UTF8) if encoding is None else text.lstrip("\ufeff").encode()
        ), None
    except LookupError:
        raise DataError(
            f"{path}: there is no encoding {encoding!r}; use utf-8, latin-1, utf-16, ..."
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    if encoding is not None:
        raise DataError(
            f"{path}, line {line}: not {encoding}; save it as {encoding}, or give the encoding of a log in `encoding`"
        )
    if b"\0" in data[: 2**20]:
        raise DataError(f"{path}, line {line}: not text; check that it is the right file")
    for guess in ("cp1252", "latin-1"):
        try:
            text = data.decode(guess)
            break
        except UnicodeDecodeError:
            continue
    note = (
        f"{path.name}, line {line}: not UTF-8; the file is read as {guess}; give `encoding` if that is wrong"
    )
    return text.encode(), note
