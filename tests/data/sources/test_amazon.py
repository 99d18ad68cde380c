from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prism_rec.data.raw_log import RawLog
from prism_rec.data.sources import Amazon2014, Amazon2018, Amazon2023
from prism_rec.errors import InputError, SettingsError
from raw_dumps import review_2014, review_2018, review_2023, write_lines

REVIEWS = [("u1", "A", 5), ("u2", "B", 3), ("u1", "B", 9), ("u2", "../../x", 3)]
COLUMNS = ["item_id", "title", "description", "brand", "categories", "images"]
META_2014: list[dict[str, Any]] = [
    {
        "asin": "A",
        "title": "Tom &amp; Jerry's  \n lamp",
        "description": 'A "lamp"\\',
        "brand": "",
        "price": 9.99,
        "imUrl": "http://x/a.jpg?b=1&copy=2",
        "related": {"also_bought": ["B", "C"], "buy_after_viewing": []},
        "salesRank": {"Toys & Games": 7},
        "categories": [["Home", "Lamps & Light"], ["Toys"]],
    },
    {"asin": "Z", "title": "of no interest"},
    {"asin": "B", "title": ["Two", "parts"], "price": "from 3", "categories": [["Home"]], "imUrl": None},
    {"asin": "B", "title": "again"},
    {"asin": "../../x", "title": 7, "description": {"a": 1}, "brand": True, "categories": "Home"},
]
META_2018: list[dict[str, Any]] = [
    {
        "asin": "A",
        "title": "Lamp",
        "description": ["First.", "", "Second."],
        "brand": "by\n    Acme",
        "category": ["Home", "Lamps", "</span></span>", "Bright"],
        "imageURL": ["http://x/small.jpg"],
        "imageURLHighRes": ["http://x/1.jpg", "http://x/2.jpg"],
        "details": {"Weight": "1"},
        "price": "$9",
    },
    {"asin": "B", "title": "var aPageStart = (new Date()).getTime();", "category": [], "imageURL": []},
]
META_2023: list[dict[str, Any]] = [
    {
        "main_category": "Home",
        "title": "Lamp",
        "description": ["Bright."],
        "price": None,
        "images": [
            {"thumb": "t2", "large": "l2", "variant": "PT01", "hi_res": None},
            {"thumb": "t1", "large": "l1", "variant": "MAIN", "hi_res": "h1"},
        ],
        "store": "Acme Store",
        "categories": ["Home", "Lamps"],
        "details": {"Brand": "Acme"},
        "parent_asin": "A",
    },
    {
        "title": None,
        "description": [],
        "images": {
            "hi_res": [None, "h"],
            "large": ["l0", "l"],
            "thumb": ["t0", "t"],
            "variant": ["PT", "MAIN"],
        },
        "store": "Store",
        "categories": [],
        "details": {},
        "parent_asin": "B",
    },
]


EDITIONS = {
    "amazon-2014": (Amazon2014, review_2014),
    "amazon-2018": (Amazon2018, review_2018),
    "amazon-2023": (Amazon2023, review_2023),
}


def read(folder: Path, source: str, meta: list[Any] | None, reviews: Any = REVIEWS) -> RawLog:
    edition, write = EDITIONS[source]
    log = write_lines(folder / "reviews.json.gz", map(write, reviews))
    items = None if meta is None else write_lines(folder / "meta.json.gz", meta)
    settings = edition(reviews=log, metadata=items)
    assert settings.kind == source
    assert settings.files() == tuple(path for path in (log, items) if path)
    return settings.read()


def described(log: RawLog) -> list[tuple[Any, ...]]:
    assert log.items is not None
    assert log.items.columns == COLUMNS
    return log.items.rows()


@pytest.mark.parametrize("source", ["amazon-2014", "amazon-2018", "amazon-2023"])
def test_reads_the_reviews_of_each_edition(tmp_path: Path, source: str) -> None:
    log = read(tmp_path, source, None)
    assert log.events.rows() == [(user, item, seconds, 4.0) for user, item, seconds in REVIEWS]
    assert (log.items, log.time) == (None, "absolute")


@pytest.mark.parametrize("as_written", [repr, lambda record: record], ids=["literals", "JSON"])
def test_describes_items_as_in_2014(tmp_path: Path, as_written: Any) -> None:
    log = read(tmp_path, "amazon-2014", [as_written(record) for record in META_2014])
    assert described(log) == [
        (
            "A",
            "Tom & Jerry's lamp",
            'A "lamp"\\',
            None,
            ["Home", "Lamps & Light"],
            ["http://x/a.jpg?b=1&copy=2"],
        ),
        ("B", "Two parts", None, None, ["Home"], []),
        ("../../x", "7", None, None, ["Home"], []),
    ]
    assert log.dropped == {"fields_unreadable": 1}
    assert log.notes == ("meta.json.gz, line 5: description: expected text, found an object; left empty",)


def test_describes_items_as_in_2018(tmp_path: Path) -> None:
    assert described(read(tmp_path, "amazon-2018", META_2018)) == [
        (
            "A",
            "Lamp",
            "First. Second.",
            "Acme",
            ["Home", "Lamps"],
            ["http://x/1.jpg", "http://x/2.jpg", "http://x/small.jpg"],
        ),
        ("B", None, None, None, [], []),
    ]


def test_describes_items_as_in_2023(tmp_path: Path) -> None:
    assert described(read(tmp_path, "amazon-2023", META_2023)) == [
        ("A", "Lamp", "Bright.", "Acme", ["Home", "Lamps"], ["l1", "h1", "t1", "l2", "t2"]),
        ("B", None, None, "Store", [], ["l", "h", "t", "l0", "t0"]),
    ]


def test_milliseconds_become_seconds(tmp_path: Path) -> None:
    review = {**review_2023(REVIEWS[0]), "timestamp": 1588687728923}
    path = write_lines(tmp_path / "x.jsonl", [review])
    assert Amazon2023(reviews=path).read().events["timestamp"].to_list() == [1588687728.923]


HOSTILE = [
    "{'asin': __import__('os').system('touch pwned')}",
    "{'asin': 'A', 'title': open('pwned', 'w').write('x')}",
    "[" * 100_000,
    "{'asin': 'A', 'title': '" + "x" * 2_000_000 + "'}",
    b"{'asin': 'A', 'title': '\xff'}",
    "{'title': 'no id'}",
    "{'asin': ['A']}",
]


def test_hostile_metadata_is_counted_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("prism_rec.data.sources.lines.reader._MOST_NOTES", 99)
    good = [repr(record) for record in META_2014]
    log = read(tmp_path, "amazon-2014", [*HOSTILE, *good, *(repr({"asin": "Z"}) for _ in range(1000))])
    assert log.dropped["descriptions_unreadable"] == len(HOSTILE)
    assert [note.split(": ", 1)[0] for note in log.notes[: len(HOSTILE)]] == [
        f"meta.json.gz, line {line}" for line in range(1, len(HOSTILE) + 1)
    ]
    assert len(described(log)) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meta.json.gz", "reviews.json.gz"]


ODD_PICTURES = [
    ({"images": "http://x"}, "images: not a list of pictures"),
    ({"images": ["http://x"]}, "images: not a list of pictures"),
    ({"images": [{"large": {"a": 1}}]}, "images: expected text, found an object"),
    ({"details": ["Brand"]}, "details: expected an object"),
    ({"details": {"Brand": {"x": 1}}}, "details: expected text, found an object"),
    ({"categories": [["a", ["b"]]]}, "categories: expected text, found a list"),
]


@pytest.mark.parametrize(("fields", "note"), ODD_PICTURES)
def test_fields_of_another_kind_are_left_empty_and_told(
    tmp_path: Path, fields: dict[str, Any], note: str
) -> None:
    log = read(tmp_path, "amazon-2023", [{"parent_asin": "A", **fields}])
    assert described(log) == [("A", None, None, None, [], [])]
    assert log.notes == (f"meta.json.gz, line 1: {note}; left empty",)


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    log = read(tmp_path, "amazon-2018", [{"asin": "A", "title": "x\ud800", "imageURL": ["\udfff"]}])
    assert described(log) == [("A", "x?", None, None, [], ["?"])]


def test_types_do_not_depend_on_what_is_there(tmp_path: Path) -> None:
    log = read(tmp_path, "amazon-2014", [{"asin": "A"}])
    assert log.items is not None
    assert log.items.schema["title"] == pl.String
    assert log.items.schema["images"] == pl.List(pl.String)


def test_metadata_of_other_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"meta\.json\.gz describes none of the items of the reviews \('A', \.\.\.\)"
    ):
        read(tmp_path, "amazon-2014", [{"asin": "Z"}])


def test_settings_of_other_sources_are_refused() -> None:
    for key, value in {"columns": {"user": "u"}, "time": "order", "photos": "p.json"}.items():
        with pytest.raises(SettingsError, match=f"unknown key {key}"):
            Amazon2014.parse({"reviews": "x.json", key: value}, "source")


@pytest.mark.parametrize("written", ['"it\'s"', '"it\\u0027s"', "'it\\'s'"])
def test_ids_with_apostrophes_and_escapes_keep_their_description(tmp_path: Path, written: str) -> None:
    reviews, metadata = tmp_path / "reviews.json", tmp_path / "meta.json"
    reviews.write_text(
        "".join(f'{{"reviewerID":"u","asin":"{asin}","unixReviewTime":1}}\n' for asin in ("it's", "b"))
    )
    metadata.write_text(f'{{"asin": {written}, "related": {{"asin": "zzz"}}, "title": "Clock"}}\n')
    log = Amazon2014(reviews=reviews, metadata=metadata).read()
    assert log.items is not None
    assert log.items.select("item_id", "title").rows() == [("it's", "Clock")]
