import json
import sys
from pathlib import Path
from subprocess import run
from typing import get_args, get_type_hints

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from command_line import prism_rec
from prism_rec.cli.describe import describe
from prism_rec.cli.embed import embed
from prism_rec.cli.export import export
from prism_rec.cli.prepare import prepare
from prism_rec.data import Dataset, Temporal
from prism_rec.data.exports import EXPORTS
from prism_rec.data.sources import SOURCES
from prism_rec.errors import InputError

APP = typer.Typer()
APP.command()(prepare)
APP.command()(describe)
APP.command()(embed)
APP.command()(export)


def invoke(*words: object) -> str:
    result = CliRunner().invoke(
        APP, [str(word) for word in words], env={"COLUMNS": "80"}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    rows = [f"{user},{item},{item},{item + 1}" for user in "ab" for item in range(10)]
    (tmp_path / "log.csv").write_text("uid,item_id,timestamp,rating\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_writes_a_dataset_and_shows_it(raw: Path) -> None:
    out = raw / "data"
    shown = invoke(
        *("prepare", "--interactions", raw / "log.csv", "--columns", "user=uid", "--min-rating", "2"),
        *("--core", "2", "--duplicates", "last", "--out", out),
    )
    dataset = Dataset.load(out)
    assert (dataset.cleaning.min_rating, dataset.cleaning.core, dataset.cleaning.duplicates) == (2, 2, "last")
    assert dataset.counts() == {"users": 2, "items": 9, "interactions": 18}
    assert "dropped interactions below min rating" in shown
    assert max(len(line) for line in shown.splitlines() if str(out) not in line) <= 80


def test_what_was_done_before_is_passed_over(raw: Path) -> None:
    np.save(raw / "text.npy", np.eye(10, dtype=np.float32))
    (raw / "text.ids.txt").write_text("\n".join(map(str, range(10))))
    features = ("--features", f"text={raw / 'text.npy'}")
    log = ("--interactions", raw / "log.csv", "--columns", "user=uid", *features, "--out", raw / "data")
    first = invoke("prepare", *log)
    made = (raw / "data/manifest.json").stat().st_mtime_ns
    assert invoke("prepare", *log) == first.replace(f"prepare: {raw / 'data'}", "prepare: done before")
    assert (raw / "data/manifest.json").stat().st_mtime_ns == made
    assert "done before" not in invoke("prepare", *log, "--core", "2")
    np.save(raw / "text.npy", np.eye(10, dtype=np.float32)[::-1])
    assert "done before" not in invoke("prepare", *log, "--core", "2")
    assert "done before" in invoke("prepare", *log, "--core", "2")
    (raw / "data/items.parquet").unlink()
    assert "done before" not in invoke("prepare", *log, "--core", "2")


def test_the_text_source_keeps_order_alone(raw: Path) -> None:
    (raw / "log.txt").write_text("a 1 2 3\nb 2 3 1\n")
    invoke("prepare", "--source", "text", "--interactions", raw / "log.txt", "--out", raw / "data")
    assert Dataset.load(raw / "data").time == "order"


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ([], Temporal()),
        (["--quantiles", "0.3", "0.6"], Temporal(quantiles=(0.3, 0.6))),
        (["--times", "1970-01-01T00:00:02", "3"], Temporal(times=(2, 3))),
    ],
)
def test_temporal_splits(raw: Path, options: list[str], rule: Temporal) -> None:
    log = ("--interactions", raw / "log.csv", "--columns", "user=uid", "--out", raw / "data")
    invoke("prepare", *log, "--split", "temporal", *options)
    assert Dataset.load(raw / "data").rule == rule


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "uid"], "--columns uid: write it as NAME=VALUE"),
        (["--features", "text="], "--features text=: write it as NAME=VALUE"),
        (["--columns", "user=a", "--columns", "user=b"], "'user' is given twice"),
        (["--columns", "usr=uid"], "unknown role 'usr'"),
        (["--quantiles", "0.8", "0.9"], "belong to --split temporal"),
        (["--split", "temporal", "--quantiles", "0.8", "0.9", "--times", "1", "2"], "give one of them"),
        (["--split", "temporal", "--quantiles", "0.9", "0.8"], "two rising numbers"),
        (["--split", "temporal", "--times", "1", "soon"], "--times, row 2: time 'soon' is not a time"),
        ([], "no column 'user_id'"),
        (["--columns", "user=uid", "--time", "order", "--split", "temporal"], "needs absolute times"),
    ],
)
def test_wrong_options_are_refused(raw: Path, options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        invoke("prepare", "--interactions", raw / "log.csv", "--out", raw / "data", *options)
    assert not (raw / "data").exists()


def test_texts_alone_become_features_without_a_model(raw: Path) -> None:
    titles = "item_id,title\n" + "".join(f"{item},thing number {item}\n" for item in range(9)) + "99,unused\n"
    (raw / "titles.csv").write_text(titles)
    vectors = raw / "vectors/text"
    assert (
        prism_rec("embed", "--items", raw / "titles.csv", "--encoder", "hashed-text", "--out", vectors).status
        == 0
    )
    log = ("--interactions", raw / "log.csv", "--columns", "user=uid", "--items", raw / "titles.csv")
    invoke("prepare", *log, "--features", f"text={vectors}", "--out", raw / "data")
    assert Dataset.load(raw / "data").features["text"].present.tolist() == [False, *[True] * 9, False]


def test_describe_as_json_and_as_a_table(raw: Path) -> None:
    log = ("--interactions", raw / "log.csv", "--columns", "user=uid", "--out", raw / "data")
    shown_by_prepare = invoke("prepare", *log)
    assert json.loads(invoke("describe", raw / "data", "--json"))["interactions"] == 20
    assert shown_by_prepare == f"prepare: {raw / 'data'}\n" + invoke("describe", raw / "data")


def test_the_sources_offered_are_the_sources_there_are() -> None:
    assert set(get_args(get_type_hints(prepare)["source"])) == set(SOURCES)


def test_the_commands_load_nothing_heavy_before_they_run() -> None:
    code = "import sys, prism_rec.cli.prepare, prism_rec.cli.describe; print({'polars', 'torch'} & set(sys.modules))"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_exports_and_reads_back(raw: Path) -> None:
    invoke("prepare", "--interactions", raw / "log.csv", "--columns", "user=uid", "--out", raw / "data")
    assert "wrote" in invoke("export", raw / "data", "--to", "recbole", "--out", raw / "recbole")
    invoke("prepare", "--source", "recbole", "--reviews", raw / "recbole", "--out", raw / "again")
    one, other = Dataset.load(raw / "data"), Dataset.load(raw / "again")
    assert one.items["item_id"].equals(other.items["item_id"])
    assert one.interactions.select("user", "item").equals(other.interactions.select("user", "item"))


def test_the_formats_offered_are_the_formats_there_are() -> None:
    assert set(get_args(get_type_hints(export)["form"])) == set(EXPORTS)
