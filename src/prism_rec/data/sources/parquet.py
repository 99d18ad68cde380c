"""How large a Parquet file becomes, as its footer says: a few bytes may stand for gigabytes of equal values."""

import struct
from pathlib import Path
from typing import Any

from prism_rec.data.sources.decoding import LARGEST_RATIO, MOST_UNPACKED
from prism_rec.errors import DataError

_MAGIC = b"PAR1"
_WIDTHS = {0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8}
"""Bytes of a value in memory by its physical type; a text takes 16 and its letters."""
_TEXT = 16


def check_growth(path: Path, grown: int) -> None:
    """Refuse a file whose content is much larger than the file.

    Raises:
        DataError: like no real data.
    """
    if grown > max(MOST_UNPACKED, LARGEST_RATIO * path.stat().st_size):
        raise DataError(
            f"{path} unpacks to {grown / 2**20:,.0f} MiB, more than {LARGEST_RATIO} times its size; "
            "save it in another format if you trust it"
        )


def check_parquet(path: Path) -> None:
    """Refuse a Parquet file that grows more than a real table when it is read. Other files are left to the reader.

    Raises:
        DataError: see `check_growth`.
    """
    try:
        columns = _columns(_footer(path))
    except (OSError, struct.error, LookupError, TypeError, ValueError, RecursionError):
        return
    check_growth(path, sum(max(size, values * _WIDTHS.get(kind, _TEXT)) for kind, values, size in columns))


def _footer(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        length, magic = struct.unpack("<I4s", file.read(8))
        if magic != _MAGIC or length > size - 8:
            raise ValueError
        file.seek(size - 8 - length)
        return file.read(length)


def _columns(footer: bytes) -> list[tuple[int, int, int]]:
    """Return physical type, number of values and unpacked bytes of each column of each row group."""
    groups = _Compact(footer).struct()[4]
    chunks = [chunk[3] for group in groups for chunk in group[1]]
    return [(chunk[1], chunk[5], chunk[6]) for chunk in chunks]


class _Compact:
    """Reads values in Thrift's compact protocol, in which footers are written."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self) -> dict[int, Any]:
        """Return the fields of a struct by their numbers."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind in (7, 8):
            length = 8 if kind == 7 else self._varint()
            start = self.at
            self.at += length
            return self.data[start : self.at]
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 15) for _ in range(count)]
        if kind == 12:
            return self.struct()
        raise ValueError(kind)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _whole(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
