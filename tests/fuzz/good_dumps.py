"""One right dump of every source and format, small, of which the fuzz damages one file."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

TIME = 1_400_000_000
USERS, ITEMS = 12, 7
ROWS = [
    (f"u{user}", f"i{(user + place) % ITEMS}", TIME + 1000 * user + place)
    for user in range(USERS)
    for place in range(5)
]


class Good(NamedTuple):
    """Files by name, the settings of the source, and the file that is damaged."""

    files: Mapping[str, bytes]
    settings: Mapping[str, Any]
    damaged: str


def _lines(rows: Sequence[Sequence[Any]], separator: str, header: str = "") -> bytes:
    texts = [separator.join(map(str, row)) for row in rows]
    return ("\n".join([header, *texts] if header else texts) + "\n").encode()


def _json(*rows: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _npy(width: int) -> bytes:
    file = io.BytesIO()
    np.save(file, np.random.default_rng(0).normal(size=(ITEMS, width)).astype(np.float32))
    return file.getvalue()


_HEADER = "user_id,item_id,timestamp"
_RATED = [(user, item, 4.5, time) for user, item, time in ROWS]
_NUMBERED = [(int(user[1:]), int(item[1:]), 4, time) for user, item, time in ROWS]
_REVIEWS = [{"reviewerID": u, "asin": i, "overall": 4.0, "unixReviewTime": t} for u, i, t in ROWS]
_REVIEWS_2023 = [{"user_id": u, "parent_asin": i, "rating": 4.0, "timestamp": t * 1000} for u, i, t in ROWS]
_YELP = [
    {"user_id": u, "business_id": i, "stars": 4.0, "date": f"2018-09-{1 + n % 28:02} 10:00:00"}
    for n, (u, i, _) in enumerate(ROWS)
]
_BUSINESSES = [
    {
        "business_id": f"i{n}",
        "name": f"Café u3 {n}",
        "categories": "Pizza, Bars",
        "attributes": {"WiFi": "u'free'", "Ambience": "{'casual': True}"},
        "city": "u3",
    }
    for n in range(ITEMS)
]
_PHOTOS = [
    {"photo_id": f"p{n}", "business_id": f"i{n}", "label": "food", "caption": "u3"} for n in range(ITEMS)
]
_META = "".join(
    f"{{'asin': 'i{n}', 'title': 'a \"thing\" u3', 'categories': [['A', 'B']], 'price': 14000000{n}0.5, 'imUrl': 'http://x/{n}.jpg'}}\n"
    for n in range(ITEMS)
).encode()
_META_2023 = _json(
    *(
        {
            "parent_asin": f"i{n}",
            "title": "u3",
            "images": [{"large": "http://x/1.jpg", "variant": "MAIN"}],
            "details": {"Brand": "b"},
            "categories": ["A"],
        }
        for n in range(ITEMS)
    )
)
_FILMS = _lines([(n, f"Film u3, the {n}", "Action|Drama") for n in range(ITEMS)], "::")
_FILMS_CSV = _lines(
    [(n, f'"Film u3, the {n}"', "Action|Drama") for n in range(ITEMS)], ",", "movieId,title,genres"
)
_FILMS_100K = _lines(
    [(n, f"Film u3 {n}", "01-Jan-1995", "", "http://x", *[n % 2] * 19) for n in range(ITEMS)], "|"
)
_ITEMS = _lines([(f"i{n}", f"thing u3 {n}", TIME) for n in range(ITEMS)], ",", "item_id,title,price")
_INTER = "user_id:token\titem_id:token\ttimestamp:float"
_MMREC = _lines(
    [(*row, n % 5 // 3) for n, row in enumerate(_NUMBERED)],
    "\t",
    "userID\titemID\trating\ttimestamp\tx_label",
)
_TABLE = {"kind": "table", "interactions": "log.csv"}
_PARTS = {"train.csv": 0, "valid.csv": 3, "test.csv": 4}

GOOD: dict[str, Good] = {
    "csv": Good({"log.csv": _lines(ROWS, ",", _HEADER)}, _TABLE, "log.csv"),
    "rated tsv": Good(
        {"log.tsv": _lines(_RATED, "\t", "user_id\titem_id\trating\ttimestamp")},
        {**_TABLE, "interactions": "log.tsv"},
        "log.tsv",
    ),
    "double colons": Good(
        {"log.dat": _lines(_RATED, "::")}, {**_TABLE, "interactions": "log.dat"}, "log.dat"
    ),
    "spaces": Good(
        {"log.txt": _lines(ROWS, " ", _HEADER.replace(",", " "))},
        {**_TABLE, "interactions": "log.txt"},
        "log.txt",
    ),
    "ratings only": Good({"log.csv": _lines(_RATED, ",")}, _TABLE, "log.csv"),
    "folder": Good(
        {"logs/a.csv": _lines(ROWS[:30], ",", _HEADER), "logs/b.csv": _lines(ROWS[30:], ",", _HEADER)},
        {**_TABLE, "interactions": "logs"},
        "logs/b.csv",
    ),
    "items": Good(
        {"log.csv": _lines(ROWS, ",", _HEADER), "items.csv": _ITEMS},
        {**_TABLE, "items": "items.csv"},
        "items.csv",
    ),
    "lists": Good(
        {
            "log.csv": _lines(
                [(f"u{n}", f'"i{n % 5},i1,i2,1400000000"') for n in range(9)], ",", "user_id,history"
            )
        },
        _TABLE,
        "log.csv",
    ),
    "given parts": Good(
        {
            name: _lines([row for n, row in enumerate(ROWS) if n % 5 >= first], ",", _HEADER)
            for name, first in _PARTS.items()
        },
        {
            "kind": "table",
            "interactions": "train.csv",
            "validation": "valid.csv",
            "test": "test.csv",
            "split": "given",
        },
        "valid.csv",
    ),
    "text": Good(
        {"log.txt": _lines([(f"u{n}", "i1 i2", f"i{n}", TIME + n) for n in range(20)], " ")},
        {"kind": "text", "interactions": "log.txt"},
        "log.txt",
    ),
    "recbole": Good(
        {"d/d.inter": _lines(ROWS, "\t", _INTER)}, {"kind": "recbole", "interactions": "d"}, "d/d.inter"
    ),
    "recbole items": Good(
        {
            "d/d.inter": _lines(ROWS, "\t", _INTER),
            "d/d.item": _ITEMS.replace(b",", b"\t").replace(
                b"item_id\ttitle\tprice", b"item_id:token\ttitle:token_seq\tprice:float"
            ),
        },
        {"kind": "recbole", "interactions": "d"},
        "d/d.item",
    ),
    "recbole parts": Good(
        {f"d/d.{part}.inter": _lines(ROWS, "\t", _INTER) for part in ("train", "valid", "test")},
        {"kind": "recbole", "interactions": "d", "split": "given"},
        "d/d.test.inter",
    ),
    "sessions": Good(
        {
            "d/d.inter": _lines(
                [(f"u{n}", f"i1 i{n % 5}", "i2") for n in range(9)],
                "\t",
                "user_id:token\titem_id_list:token_seq\titem_id:token",
            )
        },
        {"kind": "recbole", "interactions": "d"},
        "d/d.inter",
    ),
    "mmrec": Good(
        {"d.inter": _MMREC, "text_feat.npy": _npy(4)},
        {"kind": "mmrec", "folder": ".", "split": "given"},
        "d.inter",
    ),
    "mmrec vectors": Good(
        {"d.inter": _MMREC, "text_feat.npy": _npy(4)}, {"kind": "mmrec", "folder": "."}, "text_feat.npy"
    ),
    "films": Good(
        {"ratings.csv": _lines(_NUMBERED, ",", "userId,movieId,rating,timestamp"), "movies.csv": _FILMS_CSV},
        {"kind": "movielens", "folder": "."},
        "ratings.csv",
    ),
    "names of films": Good(
        {"ratings.csv": _lines(_NUMBERED, ",", "userId,movieId,rating,timestamp"), "movies.csv": _FILMS_CSV},
        {"kind": "movielens", "folder": "."},
        "movies.csv",
    ),
    "films of 1M": Good(
        {"ratings.dat": _lines(_NUMBERED, "::"), "movies.dat": _FILMS},
        {"kind": "movielens", "folder": "."},
        "ratings.dat",
    ),
    "films of 100K": Good(
        {"u.data": _lines(_NUMBERED, "\t"), "u.item": _FILMS_100K},
        {"kind": "movielens", "folder": "."},
        "u.item",
    ),
    "amazon 2014": Good({"r.json": _json(*_REVIEWS)}, {"kind": "amazon-2014", "reviews": "r.json"}, "r.json"),
    "metadata 2014": Good(
        {"r.json": _json(*_REVIEWS), "m.json": _META},
        {"kind": "amazon-2014", "reviews": "r.json", "metadata": "m.json"},
        "m.json",
    ),
    "amazon 2018": Good(
        {"r.json": _json(*({**row, "vote": "2"} for row in _REVIEWS))},
        {"kind": "amazon-2018", "reviews": "r.json"},
        "r.json",
    ),
    "amazon 2023": Good(
        {"r.jsonl": _json(*_REVIEWS_2023)}, {"kind": "amazon-2023", "reviews": "r.jsonl"}, "r.jsonl"
    ),
    "metadata 2023": Good(
        {"r.jsonl": _json(*_REVIEWS_2023), "m.jsonl": _META_2023},
        {"kind": "amazon-2023", "reviews": "r.jsonl", "metadata": "m.jsonl"},
        "m.jsonl",
    ),
    "yelp": Good({"r.json": _json(*_YELP)}, {"kind": "yelp", "reviews": "r.json"}, "r.json"),
    "businesses": Good(
        {"r.json": _json(*_YELP), "b.json": _json(*_BUSINESSES), "p.json": _json(*_PHOTOS)},
        {"kind": "yelp", "reviews": "r.json", "businesses": "b.json", "photos": "p.json"},
        "b.json",
    ),
    "photos": Good(
        {"r.json": _json(*_YELP), "b.json": _json(*_BUSINESSES), "p.json": _json(*_PHOTOS)},
        {"kind": "yelp", "reviews": "r.json", "businesses": "b.json", "photos": "p.json"},
        "p.json",
    ),
}
"""By name."""
