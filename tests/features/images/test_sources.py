"""The table of items and sources."""

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from prism_rec.errors import InputError
from prism_rec.features.images.outcome import SourceOutcome
from prism_rec.features.images.sources import read_sources, recorded, recorded_name
from prism_rec.features.images.table import tabulate

WANTED = {"item_id": ["7", "8"], "sources": [["a", "b"], []]}


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"item_id": [7, 8, 7], "images": ["a", None, " b "]}),
        pl.DataFrame({"item_id": ["7", "8"], "images": [["a", "", "b", None, "a"], []]}),
        pl.DataFrame({"item_id": ["7", "8", "7"], "images": [["a"], None, ["a", "b"]]}),
        pd.DataFrame({"item_id": [7, 7, 8], "images": ["a", "b", ""]}),
        pl.DataFrame({"item_id": [7, 8], "images": [" a | b||a", "|"]}),
    ],
)
def test_rows_and_lists_become_one_row_an_item(table: object) -> None:
    assert read_sources(table, "images").to_dict(as_series=False) == WANTED


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_tables_are_read_from_files(ending: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"asin": ["7", "7", "8"], "url": ["a", "b", None]})
    path = tmp_path / f"table.{ending}"
    frame.write_parquet(path) if ending == "parquet" else frame.write_csv(
        path, separator="\t" if ending == "tsv" else ","
    )
    assert read_sources(path, "url", {"item": "asin"}).to_dict(as_series=False) == WANTED


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pl.DataFrame({"item_id": [1]}), r"sources has no column 'images' \(found: item_id\)"),
        (pl.DataFrame({"item_id": [1], "images": [3.5]}), "column 'images' has the type Float64; give text"),
        (
            pl.DataFrame({"item_id": [1.5], "images": ["a"]}),
            "column 'item_id' has the type Float64; give ids",
        ),
        (pl.DataFrame({"item_id": ["a", None], "images": ["a", "b"]}), "row 2: no item_id"),
        ([1, 2], "give a polars, pandas or Arrow frame"),
    ],
)
def test_a_table_of_another_form_is_refused(table: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_sources(table, "images")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"table\.parquet cannot be read"):
        read_sources(tmp_path / "table.parquet", "images")
    with pytest.raises(InputError, match="no such file"):
        read_sources(tmp_path / "none.csv", "images")


def test_an_item_s_row_speaks_of_its_best_source() -> None:
    outcomes = {
        "gone": SourceOutcome("gone", "failed", 1, reason="http-404"),
        "busy": SourceOutcome("busy", "retry", 4, reason="http-503"),
    }
    sources = {"1": ["gone", "busy", "new"], "2": ["gone"], "3": ["new"], "4": []}
    rows = tabulate(pl.DataFrame({"item_id": list(sources), "sources": list(sources.values())}), outcomes)
    assert rows.select("item_id", "status", "reason", "url", "attempts").rows() == [
        ("1", "retry", "http-503", "busy", 4),
        ("2", "failed", "http-404", "gone", 1),
        ("3", "retry", "not-tried", "new", 0),
        ("4", "none", "no-source", None, 0),
    ]


def test_credentials_are_not_recorded_and_addresses_stay_apart() -> None:
    one, other = (f"https://h/a.jpg?token={secret}" for secret in ("first", "second"))
    name = recorded_name(one)
    assert name.startswith("https://h/a.jpg?token=***#")
    assert "first" not in name
    assert recorded_name(other) != name == recorded_name(name)
    assert recorded_name("https://h/a.jpg?w=5") == "https://h/a.jpg?w=5"
    items = pl.DataFrame({"item_id": ["7", "8"], "sources": [[one, "b"], []]})
    assert recorded(items)["sources"].to_list() == [[name, "b"], []]
