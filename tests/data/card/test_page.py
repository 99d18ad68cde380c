import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset, RawLog
from prism_rec.data.card.page import as_html, as_markdown, count_lengths, make_card, write_card
from prism_rec.errors import FolderError
from prism_rec.folders import require_whole

VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'


def make(**options: object) -> Dataset:
    rows = [
        (user, item, 1_400_000_000 + 86_400 * item) for user in "abc" for item in range(3 + ord(user) % 3)
    ]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    features = {"text": (np.eye(2), ["0", "3"])}
    return Dataset.from_frame(log, features=features, **options)  # type: ignore[arg-type]


def test_the_card_is_written_into_the_folder_of_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "log <1>.csv").write_text("x")
    make().save(tmp_path / "data", {"source": "<table>"}, [tmp_path / "log <1>.csv"])
    before = require_whole(tmp_path / "data", "prepare")["files"]
    write_card(make(), tmp_path / "data")
    after = require_whole(tmp_path / "data", "prepare")["files"]
    assert after.keys() - before.keys() == {"card.md", "card.html"}
    markdown, page = ((tmp_path / "data" / f"card.{kind}").read_text() for kind in ("md", "html"))
    for fact in (
        "| users | 3 |",
        "| interactions | 12 (density 80.000%) |",
        "| modality text | width 2, 2 items (40.0%) |",
        "| time | absolute, seconds, 2014-05-13 to 2014-05-17 |",
        "| 3 to 4 | 2 | ████████████████████████ |",
        "are later than a test event",
        r"- log \<1\>.csv",
    ):
        assert fact in markdown
    ElementTree.fromstring(
        page.replace("<!doctype html>", "").replace('<meta charset="utf-8">', "").replace(VIEWPORT, "")
    )
    assert "log &lt;1&gt;.csv" in page
    assert "&lt;table&gt;" in page
    assert not re.search("<script|https?://|src=|href=", page)
    assert len(page) < 10_000
    with pytest.raises(FolderError):
        write_card(make(), tmp_path / "nothing")


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    files = [tmp_path / "log.csv", tmp_path / "text" / "manifest.json", tmp_path / "photo" / "manifest.json"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text(file.parent.name)
    make().save(tmp_path / "data", {}, files)
    write_card(make(), tmp_path / "data")
    listed = re.findall(r"^- (.*)", (tmp_path / "data" / "card.md").read_text(), re.MULTILINE)
    assert listed == ["log.csv", "text/manifest.json", "photo/manifest.json"]


@pytest.mark.parametrize(
    ("time", "told"),
    [("order", "not known: the data has only an order"), ("relative", "only times since each user")],
)
def test_says_where_leakage_is_not_known(time: str, told: str) -> None:
    assert told in as_markdown(make_card(make(time=time), {}, []))


def test_tells_what_could_not_be_read() -> None:
    dataset = make()
    log = RawLog(
        events=pl.DataFrame({"user_id": ["a"] * 3, "item_id": ["1", "2", "3"], "timestamp": [1, 2, 3]}),
        items=None,
        time="absolute",
        dropped={"lines_unreadable": 7},
        notes=("x.json, line 3: '<b>|' is not a time; skipped",),
    )
    made = Dataset.from_log(log, dataset.cleaning, dataset.rule)
    card = make_card(made, {}, [])
    markdown, page = as_markdown(card), as_html(card)
    assert "| dropped lines unreadable | 7 |" in markdown
    assert r"| note | x.json, line 3: '\<b\>\|' is not a time; skipped |" in markdown
    assert "'&lt;b&gt;|' is not a time" in page


def test_equal_data_give_equal_cards() -> None:
    assert make_card(make(), {"a": 1}, ["x"]) == make_card(make(), {"a": 1}, ["x"])


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
    users = ["a"] * 3 + ["b"] * 6 + ["c"] * 6
    items = [*range(3), *range(6), *range(6)]
    log = pl.DataFrame({"user_id": users, "item_id": items, "timestamp": range(15)})
    lengths = make_card(Dataset.from_frame(log), {}, []).lengths
    assert lengths == [("3 to 4", "1", "█" * 12), ("5 to 9", "2", "█" * 24)]
    table = ElementTree.fromstring(
        re.search('<h2>History lengths</h2>(<table class="lengths">.*?</table>)', page_of(log)).group(1)
    )  # type: ignore[union-attr]
    rows = [[cell.text or cell[0].get("style") for cell in row] for row in table[1:]]
    assert rows == [["3 to 4", "1", "width:50%"], ["5 to 9", "2", "width:100%"]]


def page_of(log: pl.DataFrame) -> str:
    return as_html(make_card(Dataset.from_frame(log), {}, []))


def test_the_card_of_joined_data_names_the_files_that_the_log_was_made_from(tmp_path: Path) -> None:
    make().save(tmp_path / "data", {"raw_files": {"raw/log.csv": "0" * 64}})
    write_card(make(), tmp_path / "data")
    assert "- log.csv" in (tmp_path / "data" / "card.md").read_text()
