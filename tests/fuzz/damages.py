"""What may have happened to a file: cut, packed, in another encoding, of another program, with odd values."""

import gzip
import pickle
import re
import zlib
from collections.abc import Callable
from functools import cache

Change = Callable[[bytes], bytes]


def _of_value(value: bytes) -> Change:
    """Put a value in place of every tenth number of a time, whatever the format."""
    times = re.compile(rb"14\d{8,11}|2018-\d\d-\d\d( \d\d:\d\d:\d\d)?")

    def change(content: bytes) -> bytes:
        count = iter(range(10**9))
        return times.sub(lambda found: found[0] if next(count) % 10 else value, content)

    return change


def _of_ids(value: bytes) -> Change:
    """Put a text in place of one id of a user."""
    return lambda content: content.replace(b"u3", value)


def _in_the_middle(body: bytes) -> Change:
    def change(content: bytes) -> bytes:
        middle = content.find(b"\n", len(content) // 2) + 1
        return content[:middle] + body + content[middle:]

    return change


def _flip_crc(content: bytes) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return packed[:-8] + bytes(one ^ 255 for one in packed[-8:-4]) + packed[-4:]


def _latin(content: bytes) -> bytes:
    return content.replace(b"u3", "ü3".encode("latin-1"))


@cache
def _grown() -> bytes:
    return gzip.compress(b"\n" * 2**28, 1, mtime=0)


_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(60)
_MEMBERS = gzip.compress(b"x", mtime=0)
DAMAGES: dict[str, Change] = {
    # whole files
    "empty": lambda content: b"",
    "blank": lambda content: b"\n \n\t\n" * 50,
    "first line only": lambda content: content.partition(b"\n")[0] + b"\n",
    "first line 400 times": lambda content: (content.partition(b"\n")[0] + b"\n") * 400,
    "cut in half": lambda content: content[: len(content) // 2],
    "last byte missing": lambda content: content[:-2],
    "twice": lambda content: content + content,
    "reversed": lambda content: b"\n".join(reversed(content.split(b"\n"))),
    "picture": lambda content: _PNG,
    "page of the web": lambda content: b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n",
    "pickle": lambda content: pickle.dumps({"u": [1, 2]}),
    "zip": lambda content: b"PK\x03\x04" + content,
    "database": lambda content: b"SQLite format 3\0" + bytes(80) + content,
    "parquet without rows": lambda content: b"PAR1" + content + b"\x10\0\0\0PAR1",
    "zeros": lambda content: bytes(len(content)),
    "zeros at the end": lambda content: content + bytes(5000),
    "brackets": lambda content: b"[" * 200_000,
    # packed
    "packed": lambda content: gzip.compress(content, mtime=0),
    "packed twice": lambda content: gzip.compress(gzip.compress(content, mtime=0), mtime=0),
    "packed and cut": lambda content: gzip.compress(content, mtime=0)[:-20],
    "packed, another sum": _flip_crc,
    "packed, then text": lambda content: gzip.compress(content, mtime=0) + content,
    "two packed as one": lambda content: gzip.compress(content, mtime=0) + _MEMBERS,
    "packed by zlib": lambda content: zlib.compress(content),
    "packed to grow": lambda content: gzip.compress(content, mtime=0) + _grown(),
    # encodings and ends of lines
    "utf-8 with a mark": lambda content: b"\xef\xbb\xbf" + content,
    "utf-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    "utf-16 without a mark": lambda content: content.decode("utf-8", "replace").encode("utf-16-le"),
    "utf-32": lambda content: content.decode("utf-8", "replace").encode("utf-32"),
    "latin-1": _latin,
    "half a character": lambda content: content.replace(b"u3", b"u\xc3"),
    "surrogates": lambda content: content.replace(b"u3", b"\xed\xa0\x80"),
    "carriage returns": lambda content: content.replace(b"\n", b"\r"),
    "lines of windows": lambda content: content.replace(b"\n", b"\r\n"),
    "no ends of lines": lambda content: content.replace(b"\n", b" "),
    "empty lines": lambda content: content.replace(b"\n", b"\n\n\n"),
    # lines
    "huge line": _in_the_middle(b"x" * 9_000_000 + b"\n"),
    "huge last line": lambda content: content + b"x," * 500_000,
    "deep line": _in_the_middle(b"[" * 100_000 + b"]" * 100_000 + b"\n"),
    "deep object": _in_the_middle(b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n"),
    "many fields": _in_the_middle(b"a,b\t;::|" * 50_000 + b"\n"),
    "open quote": _in_the_middle(b'"u1'),
    "quotes": lambda content: content.replace(b"u3", b'"u3"'),
    "comments": _in_the_middle(b"# a comment\n// another\n--\n"),
    "a line of nulls": _in_the_middle(bytes(300) + b"\n"),
    # values
    "huge number as time": _of_value(b"9" * 40),
    "number of 64 bits and one": _of_value(b"18446744073709551616"),
    "smallest number": _of_value(b"-9223372036854775808"),
    "negative": _of_value(b"-5"),
    "exponent": _of_value(b"1e400"),
    "many digits": _of_value(b"9" * 5000),
    "nan": _of_value(b"NaN"),
    "infinity": _of_value(b"-Infinity"),
    "null": _of_value(b"null"),
    "word as time": _of_value(b"yesterday"),
    "date that does not exist": _of_value(b"2018-02-31 25:61:00"),
    "year 99999": _of_value(b"99999-01-01"),
    "no time": _of_value(b""),
    "milliseconds among seconds": _of_value(b"1400000000123"),
    "id with a zero byte": _of_ids(b"u\x003"),
    "id with control characters": _of_ids(b"\x1b]0;x\x07\x1b[2J"),
    "id of spaces": _of_ids(b"   "),
    "empty id": _of_ids(b""),
    "id that turns": _of_ids("\u202eabc\u2066".encode()),
    "long id": _of_ids(b"u" * 1_000_000),
    "id with every mark": _of_ids(b"'a,b;c|d::e\\f/g`h"),
    "ids none": _of_ids(b"None"),
}
"""By name; each gives other bytes, or the same for a format that it does not touch."""
