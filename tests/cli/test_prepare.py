import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from cyclopts import CycloptsError

from prism_rec.cli.app import run as run_command
from prism_rec.cli.options import options_of
from prism_rec.cli.prepare import PrepareOptions
from prism_rec.data import Dataset, Temporal
from prism_rec.data.sources import Source
from prism_rec.errors import InputError
from prism_rec.testing.checks import registered

Invoke = Callable[..., str]


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Return what runs a command and returns the text that it prints on its output."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words: object) -> str:
        capsys.readouterr()
        run_command([str(word) for word in words])
        return capsys.readouterr().out

    return call


@pytest.fixture
def prepare(invoke: Invoke, raw: Path) -> Invoke:
    """Return what prepares the table of the test, with further options."""
    table = ("--source", "table", "--interactions", raw / "log.csv", "--out", raw / "data")
    return lambda *words: invoke("prepare", *table, *words)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    rows = [f"{user},{item},{item},{item + 1}" for user in "ab" for item in range(10)]
    (tmp_path / "log.csv").write_text("uid,item_id,timestamp,rating\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_writes_a_dataset_and_shows_it(raw: Path, prepare: Invoke) -> None:
    options = ("--columns", "user=uid", "--min-rating", "2", "--core", "2", "--duplicates", "last")
    shown = prepare(*options)
    dataset = Dataset.load(raw / "data")
    assert (dataset.cleaning.min_rating, dataset.cleaning.core, dataset.cleaning.duplicates) == (2, 2, "last")
    assert dataset.counts() == {"users": 2, "items": 9, "interactions": 18}
    assert "below min rating" in shown
    assert max(len(line) for line in shown.splitlines() if str(raw) not in line) <= 80


@pytest.mark.slow
def test_what_was_done_before_is_not_done_again(
    raw: Path, prepare: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(raw / "text.npy", np.eye(10, dtype=np.float32))
    (raw / "text.ids.txt").write_text("\n".join(map(str, range(10))))
    log = ("--columns", "user=uid", "--features", f"text={raw / 'text.npy'}")
    manifest = raw / "data/manifest.json"

    def done_again(*words: str) -> bool:
        before = manifest.stat().st_mtime_ns
        prepare(*log, *words)
        return manifest.stat().st_mtime_ns != before

    first = prepare(*log)
    assert prepare(*log) == first
    assert not done_again()
    with pytest.raises(InputError, match=r"other settings \(cleaning\); .* with --replace"):
        prepare(*log, "--core", "2")
    assert done_again("--core", "2", "--replace")
    np.save(raw / "text.npy", np.eye(10, dtype=np.float32)[::-1])
    assert done_again("--core", "2")
    assert not done_again("--core", "2")
    (raw / "data/items.parquet").unlink()
    assert done_again("--core", "2")


def test_notes_go_to_the_error_stream_unless_quiet(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = ("prepare", "--source", "table", "--interactions", str(raw / "log.csv"), "--columns", "user=uid")
    for quiet, shown in ((["--quiet"], ""), ([], "prepare: done before\n")):
        run_command([*table, "--out", str(raw / "data"), *quiet])
        assert capsys.readouterr().err == shown


def test_the_text_source_has_only_an_order(raw: Path, invoke: Invoke) -> None:
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
def test_temporal_splits(raw: Path, prepare: Invoke, options: list[str], rule: Temporal) -> None:
    prepare("--columns", "user=uid", "--split", "temporal", *options)
    assert Dataset.load(raw / "data").rule == rule


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "uid"], "--columns uid: write it as NAME=VALUE"),
        (["--features", "text="], "--features text=: write it as NAME=VALUE"),
        (["--columns", "user=a", "--columns", "user=b"], "--columns: user is given twice"),
        (["--columns", "usr=uid"], "--columns: unknown role 'usr'"),
        (["--quantiles", "0.8", "0.9"], "--quantiles belongs to --split temporal, cold-items, not to"),
        (
            ["--split", "temporal", "--quantiles", "0.8", "0.9", "--times", "1", "2"],
            "give either --quantiles or --times",
        ),
        (["--split", "temporal", "--quantiles", "0.9", "0.8"], "--quantiles: give two rising numbers"),
        (["--split", "temporal", "--times", "1", "soon"], "'soon' is not a time; give seconds"),
        ([], "no column 'user_id' .*; give the name of the user column in --columns"),
        (["--columns", "user=uid", "--core", "99"], "lower --core or --min-rating"),
        (["--columns", "user=uid", "--source", "yelp"], "specified multiple times"),
        (["--reviews", "x"], "--reviews belongs to --source amazon-2014, .*, yelp, not to --source table"),
        (
            ["--columns", "user=uid", "--time", "order", "--split", "temporal"],
            "--split: temporal needs absolute times",
        ),
    ],
)
def test_wrong_options_are_refused(raw: Path, prepare: Invoke, options: list[str], message: str) -> None:
    with pytest.raises((InputError, CycloptsError), match=message):
        prepare(*options)
    assert not (raw / "data").exists()


def test_texts_become_features_without_a_model(raw: Path, prepare: Invoke, invoke: Invoke) -> None:
    titles = "item_id,title\n" + "".join(f"{item},thing number {item}\n" for item in range(9)) + "99,unused\n"
    (raw / "titles.csv").write_text(titles)
    vectors = raw / "vectors/text"
    invoke(
        *("embed", "--items", raw / "titles.csv", "--fields", "title"),
        *("--encoder", "hashed-text", "--out", vectors),
    )
    prepare("--columns", "user=uid", "--items", raw / "titles.csv", "--features", f"text={vectors}")
    assert Dataset.load(raw / "data").features["text"].present.tolist() == [False, *[True] * 9, False]


def test_describe_as_json_and_as_a_table(raw: Path, prepare: Invoke, invoke: Invoke) -> None:
    shown = prepare("--columns", "user=uid")
    assert shown == invoke("describe", raw / "data")
    assert max(map(len, shown.splitlines())) <= 80
    as_json = invoke("describe", raw / "data", "--json")
    assert json.loads(as_json)["interactions"] == 20
    assert prepare("--columns", "user=uid", "--json") == as_json


def test_the_sources_of_the_command_are_the_sources_there_are() -> None:
    options = options_of(PrepareOptions)
    kinds = {source.model_fields["kind"].default for source in registered(Source)}
    assert {kind for option in options if option.key.startswith("source.") for kind in option.kinds} == kinds
    (source,) = (option for option in options if option.key == "source.kind")
    assert set(re.findall(r"[\w-]+", source.help.partition("One of: ")[2])) == kinds


def test_the_help_of_an_option_says_what_it_is_for_each_source(invoke: Invoke) -> None:
    shown = " ".join(invoke("prepare", "--help").replace("│", " ").split())
    assert "table: A file with one row per event" in shown
    assert "text: A file with the items" in shown
    assert "recbole: The .inter file" in shown
    for flag in (
        "--interactions",
        "--items",
        "--reviews",
        "--metadata",
        "--meta",
        "--photos",
        "--columns",
        "--time",
    ):
        assert flag in shown


def test_the_commands_load_no_torch_before_they_run() -> None:
    code = "import sys, prism_rec.cli.prepare, prism_rec.cli.export_data; print('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_exports_and_reads_back(raw: Path, prepare: Invoke, invoke: Invoke) -> None:
    prepare("--columns", "user=uid")
    shown = invoke("export-data", raw / "data", "--format", "recbole", "--out", raw / "recbole")
    assert shown.split() == [str(raw / f"recbole/recbole.{kind}") for kind in ("inter", "item", "user")]
    invoke("prepare", "--source", "recbole", "--interactions", raw / "recbole", "--out", raw / "again")
    one, other = Dataset.load(raw / "data"), Dataset.load(raw / "again")
    assert one.items["item_id"].equals(other.items["item_id"])
    assert one.interactions.select("user", "item").equals(other.interactions.select("user", "item"))
    files = json.loads(invoke("export-data", raw / "data", "--format", "mmrec", "--out", raw / "m", "--json"))
    assert files[0] == str(raw / "m/i_id_mapping.csv")
