"""Damaged and hostile files of events, made from good ones: the same seed makes the same files."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TIME = 1_400_000_000


def _table(separator: str, header: str = "user_id,item_id,timestamp") -> bytes:
    rows = [
        (f"u{user}", f"i{(user + place) % 7}", str(TIME + place)) for user in range(8) for place in range(5)
    ]
    lines = [separator.join(header.split(",")), *(separator.join(row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _json(user: str, item: str, time: str, moment: Any) -> bytes:
    rows = [
        {user: f"u{u}", item: f"i{(u + n) % 7}", time: moment(n), "x": "é"}
        for u in range(40)
        for n in range(5)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


BASES: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "csv": ("log.csv", _table(","), {"kind": "table"}),
    "semicolon": ("log.txt", _table(";"), {"kind": "table"}),
    "inter": ("log.inter", _table("\t", "user_id:token,item_id:token,timestamp:float"), {"kind": "recbole"}),
    "lines": ("log.txt", b"".join(b"u%d a b c d\n" % user for user in range(9)), {"kind": "text"}),
    "amazon": (
        "reviews.json",
        _json("reviewerID", "asin", "unixReviewTime", lambda n: TIME + n),
        {"kind": "amazon-2014"},
    ),
    "yelp": (
        "reviews.json",
        _json("user_id", "business_id", "date", lambda n: f"2018-09-2{n} 10:00:00"),
        {"kind": "yelp"},
    ),
}
ODD = (
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"'",
    b"\\",
    b"\t",
    b"\r",
    b"\n\n",
    b"[" * 5000,
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"-0",
)
ODD += (
    b"\xed\xa0\x80",
    b"\xe2\x80\xa8",
    b"::",
    b"{" * 300,
    b"," * 3000,
    b"x" * 200_000,
    b"\x1b[2J",
    b"None",
    b"",
)


def _insert(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + chance.choice(ODD) + content[place:]


def _replace(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + chance.choice(ODD) + content[place + chance.randrange(12) :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _flip(content: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(chance.randrange(1, 20)):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _shuffle(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _pack(content: bytes, chance: random.Random) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return packed if chance.random() < 0.3 else _flip(packed, chance)


def _swap_fields(content: bytes, chance: random.Random) -> bytes:
    old, new = chance.choice(
        [(b"u1", b'""'), (b"14000000", b"1e"), (b"i", b"\xc3\xa9"), (b"1400", b"-99"), (b"u", b"")]
    )
    return content.replace(old, new)


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _insert,
    _replace,
    _cut,
    _flip,
    _shuffle,
    _pack,
    _swap_fields,
)


def write_dumps(folder: Path, number: int, seed: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write one dump after another, each with one to three changes; yield its name and the settings of its source."""
    chance = random.Random(seed)
    for count in range(number):
        base, (name, content, source) = chance.choice(list(BASES.items()))
        changes = [chance.choice(CHANGES) for _ in range(chance.randrange(1, 4))]
        for change in changes:
            content = change(content, chance) or b"\n"
        place = folder / str(count)
        place.mkdir()
        (place / name).write_bytes(content)
        key = "reviews" if name == "reviews.json" else "interactions"
        called = f"{count}: {base}, {', '.join(change.__name__ for change in changes)}"
        yield called, {**source, key: place / name}
