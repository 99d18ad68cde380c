"""Raw dumps as their publishers write them, made from histories that a test knows."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

DAY = 86_400
Review = tuple[str, str, int]
"""User, item, seconds since 1970."""


def in_days(histories: Mapping[str, Sequence[str]], seed: int = 0, items_a_day: int = 2) -> list[Review]:
    """Give histories times in whole days, some of them equal, and mix the users' lines at random.

    A user's lines of one day keep their order; their days, and other users' lines, come in any order.
    """
    random = np.random.default_rng(seed)
    blocks = []
    for user, items in histories.items():
        day = int(random.integers(10_000, 15_000))
        place = 0
        while place < len(items):
            several = int(random.integers(1, items_a_day + 1))
            blocks.append([(user, item, DAY * day) for item in items[place : place + several]])
            place += several
            day += int(random.integers(1, 40))
    return _interleave([blocks[row] for row in random.permutation(len(blocks))], random)


def _interleave(blocks: list[list[Review]], random: np.random.Generator) -> list[Review]:
    """Mix the lines of all blocks, each block's lines in their order."""
    owners = random.permutation(np.repeat(np.arange(len(blocks)), [len(block) for block in blocks]))
    lines = [iter(block) for block in blocks]
    return [next(lines[owner]) for owner in owners]


def review_2014(review: Review) -> dict[str, Any]:
    user, item, seconds = review
    return {
        "reviewerID": user,
        "asin": item,
        "reviewerName": 'A "B" \\ é',
        "helpful": [0, 1],
        "reviewText": "It's a {nice} [thing], isn't it?\n",
        "overall": 4.0,
        "summary": "",
        "unixReviewTime": seconds,
        "reviewTime": "07 23, 2014",
    }


def review_2018(review: Review) -> dict[str, Any]:
    return {"verified": True, "style": {"Size:": " M"}, "vote": "2", **review_2014(review)}


def review_2023(review: Review) -> dict[str, Any]:
    user, item, seconds = review
    return {
        "rating": 4.0,
        "title": "Nice",
        "text": "A thing",
        "images": [],
        "asin": f"{item}-RED",
        "parent_asin": item,
        "user_id": user,
        "timestamp": seconds * 1000,
        "helpful_vote": 0,
        "verified_purchase": True,
    }


def review_yelp(review: Review) -> dict[str, Any]:
    user, item, seconds = review
    return {
        "review_id": f"{user} {item}",
        "user_id": user,
        "business_id": item,
        "stars": 4.0,
        "useful": 0,
        "text": "A place",
        "date": str(np.datetime64(seconds, "s")).replace("T", " "),
    }


def write_lines(path: Path, lines: Iterable[Any]) -> Path:
    """Write one JSON object a line, or texts and bytes as they are; gzipped if the name says so."""
    content = b"".join(
        (line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode())
        + b"\n"
        for line in lines
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path
