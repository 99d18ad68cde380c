import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.data.card import count_lengths, draw_bars, write_card
from prism_rec.data.raw_log import RawLog


def make(**options: object) -> Dataset:
    rows = [
        (user, item, 1_400_000_000 + 86_400 * item) for user in "abc" for item in range(3 + ord(user) % 3)
    ]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    features = {"text": (np.eye(2), ["0", "3"])}
    return Dataset.from_frame(log, features=features, **options)  # type: ignore[arg-type]


def test_a_dataset_has_its_card_beside_it(tmp_path: Path) -> None:
    (tmp_path / "log <1>.csv").write_text("x")
    make().save(tmp_path / "data", {"source": "<table>"}, [tmp_path / "log <1>.csv"])
    markdown, page = ((tmp_path / "data" / f"card.{kind}").read_text() for kind in ("md", "html"))
    for fact in (
        "| users | 3 |",
        "| interactions | 12 (density 80.000%) |",
        "| modality text | width 2, 2 items (40.0%) |",
        "| time | absolute, 2014-05-13 to 2014-05-17 |",
        "| 3 to 4 | 2 | ████████████████████████ |",
        "are later than a test event",
        r"- log \<1\>.csv",
    ):
        assert fact in markdown
    ElementTree.fromstring(page.replace("<!doctype html>", "").replace('<meta charset="utf-8">', ""))
    assert "log &lt;1&gt;.csv" in page
    assert "&lt;table&gt;" in page
    assert not re.search("<script|https?://|src=|href=", page)
    assert len(page) < 10_000


@pytest.mark.parametrize(
    ("time", "told"), [("order", "not known: there is order alone"), ("relative", "only since each user")]
)
def test_says_where_leakage_is_not_known(time: str, told: str) -> None:
    assert told in write_card(make(time=time), {}, [])[0]


def test_tells_what_could_not_be_read() -> None:
    dataset = make()
    log = RawLog(
        events=pl.DataFrame({"user_id": ["a"] * 3, "item_id": ["1", "2", "3"], "timestamp": [1, 2, 3]}),
        items=None,
        time="absolute",
        dropped={"lines_unreadable": 7},
        notes=("x.json, line 3: '<b>|' is no time; left out",),
    )
    made = Dataset.from_log(log, dataset.cleaning, dataset.rule)
    markdown, page = write_card(made, {}, [])
    assert "| dropped lines unreadable | 7 |" in markdown
    assert r"| note | x.json, line 3: '\<b\>\|' is no time; left out |" in markdown
    assert "&#x27;&lt;b&gt;|&#x27; is no time" in page


def test_equal_data_give_equal_cards() -> None:
    assert write_card(make(), {"a": 1}, ["x"]) == write_card(make(), {"a": 1}, ["x"])


def test_lengths_are_counted_in_classes_that_occur() -> None:
    assert count_lengths(np.array([1, 2, 3, 4, 4, 19, 20, 5000])) == [
        ("1", 1),
        ("2", 1),
        ("3 to 4", 3),
        ("5 to 9", 0),
        ("10 to 19", 1),
        ("20 to 49", 1),
        ("50 to 99", 0),
        ("100 to 199", 0),
        ("200 to 499", 0),
        ("500 to 999", 0),
        ("1000 or more", 1),
    ]
    assert count_lengths(np.zeros(0)) == []


def test_bars_are_as_long_as_their_counts() -> None:
    drawing = draw_bars([("1", 30), ("2", 60)])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawing)]
    assert widths == [210.0, 420.0]
    ElementTree.fromstring(drawing)
