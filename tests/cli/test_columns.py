"""The column of item ids has one name in all commands: --columns item=NAME, else item_id."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import prism_rec
from prism_rec.data import Dataset
from prism_rec.data.frames import with_item_id
from prism_rec.errors import DataError, SettingsError
from prism_rec.recommend.recommender import load
from recommend.test_recommender import make_run


def test_a_column_is_found_by_its_name_or_as_item_id() -> None:
    frame = pl.DataFrame({"asin": ["1"], "title": ["x"]})
    assert with_item_id(frame, {"item": "asin"}, "t").columns == ["item_id", "title"]
    assert with_item_id(frame.rename({"asin": "item_id"}), {"item": "asin"}, "t").columns == [
        "item_id",
        "title",
    ]
    with pytest.raises(DataError, match="t has no column 'item_id' .*asin, title.*in `columns`"):
        with_item_id(frame, {}, "t")
    with pytest.raises(DataError, match="column 'item_id' has a name that prism-rec uses"):
        with_item_id(frame.with_columns(item_id=pl.lit("2")), {"item": "asin"}, "t")
    with pytest.raises(SettingsError, match="unknown role 'id'"):
        with_item_id(frame, {"id": "asin"}, "t")


@pytest.mark.slow
def test_python_calls_have_it_too(tmp_path: Path) -> None:
    ids, asin = [f"item-{place:02}" for place in range(6)], {"item": "asin"}
    log = pl.DataFrame({"user_id": ["u"] * 6, "asin": ids, "timestamp": range(6)})
    vectors = pl.DataFrame({"asin": ids, "v": np.eye(6)})
    items = pl.DataFrame({"asin": ids, "title": ids})
    made = Dataset.from_frame(log, items, {"image": vectors}, columns=asin)
    assert made.with_features({"image": vectors}, columns=asin).features["image"].present.sum() == 6
    with pytest.raises(DataError, match="'image' has no column 'item_id' .*in `columns`"):
        made.with_features({"image": vectors})
    make_run(tmp_path / "run")
    recommender = load(tmp_path / "run", "cpu")
    new = pl.DataFrame({"asin": ["new"], "title": ["New"]})
    width = recommender.dataset.features["image"].width
    given = {"image": pl.DataFrame({"asin": ["new"], "v": np.ones((1, width))})}
    with pytest.raises(DataError, match=r"new items has no column 'item_id' .*`columns` \(item=NAME\)"):
        recommender.add_items(new)
    recommender.add_items(new, given, columns=asin)
    assert recommender.dataset.features["image"].present[-1]


@pytest.mark.slow
def test_every_command_that_reads_items_has_it(tmp_path: Path) -> None:
    names = [f"item-{place:02}" for place in range(6)]
    log = [(f"u{user}", name, place) for user in range(4) for place, name in enumerate(names)]
    pl.DataFrame(log, schema=["user_id", "asin", "timestamp"], orient="row").write_csv(tmp_path / "log.csv")
    pl.DataFrame({"asin": names, "title": names, "images": "none.jpg"}).write_parquet(
        tmp_path / "items.parquet"
    )
    pl.DataFrame({"asin": names, "v": np.eye(6)}).write_parquet(tmp_path / "vectors.parquet")
    items, columns = str(tmp_path / "items.parquet"), ("--columns", "item=asin", "--quiet", "--json")
    for command, *words in (
        ("prepare", "--source", "table", "--interactions", str(tmp_path / "log.csv"), "--items", items)
        + ("--features", f"image={tmp_path / 'vectors.parquet'}"),
        ("embed", "--items", items, "--encoder", "hashed-text", "--width", "4"),
        ("images", "--table", items),
    ):
        ran = prism_rec(command, *words, "--out", str(tmp_path / command), *columns)
        assert ran.status == 0, ran.err
    make_run(tmp_path / "run")
    new = pl.DataFrame({"asin": ["new"], "title": ["New"]})
    new.write_csv(tmp_path / "new.csv")
    run, csv = str(tmp_path / "run"), str(tmp_path / "new.csv")
    ran = prism_rec("add-items", run, "--items", csv, "--out", str(tmp_path / "more"), *columns)
    assert json.loads(ran.out)["new"] == 1, ran.err
    ran = prism_rec("recommend", run, "--history", "item-01", "--k", "99", "--new-items", csv, *columns)
    assert "new" in [row["item_id"] for row in json.loads(ran.out)], ran.err
