"""`prism-rec images` from the outside."""

import json
from pathlib import Path

import polars as pl
import pytest

from command_line import Ran, prism_rec
from features.images.picture_server import PictureServer
from prism_rec.features.images import PICTURES


@pytest.fixture
def run(tmp_path: Path):
    def call(*arguments: str) -> str:
        ran = try_run(tmp_path, *arguments)
        assert ran.status == 0, ran.err
        return ran.out

    return call


def try_run(folder: Path, *arguments: str) -> Ran:
    return prism_rec("images", "--out", folder / "images", *arguments)


def test_counts_by_status_and_retry_without_the_table(run, server: PictureServer, tmp_path: Path) -> None:
    paths = ["/ok/a.jpg", "/error/a.jpg", "/missing/a.jpg"]
    pl.DataFrame({"asin": ["a", "b", "c"], "url": [server.base + path for path in paths]}).write_csv(
        tmp_path / "items.csv"
    )
    columns = ["--columns", "item=asin", "--source-column", "url", "--attempts", "1"]
    output = run("--table", str(tmp_path / "items.csv"), *columns, "--allow-private")
    assert f"prism-rec images --out {tmp_path / 'images'} --visit retry" in output
    counts = {tuple(line.split()) for line in output.splitlines()}
    assert {("ok", "1"), ("retry", "http-500", "1"), ("failed", "http-404", "1")} <= counts
    server.works_again = True
    output = run("--visit", "retry", "--allow-private")
    assert ("ok", "2") in {tuple(line.split()) for line in output.splitlines()}
    assert server.requests == {"/ok/a.jpg": 1, "/error/a.jpg": 2, "/missing/a.jpg": 1}
    run("--visit", "everything", "--allow-private")
    assert server.requests == {"/ok/a.jpg": 2, "/error/a.jpg": 3, "/missing/a.jpg": 2}
    assert pl.read_parquet(tmp_path / "images" / PICTURES)["status"].to_list() == ["ok", "ok", "failed"]


def test_what_is_refused_is_told_with_the_option_that_allows_it(run, tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a"], "images": ["http://127.0.0.1/a.jpg"]}).write_csv(tmp_path / "items.csv")
    assert "--allow-private if you trust the table" in run("--table", str(tmp_path / "items.csv"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--size", "3"), "--size: "),
        (("--visit", "retry"), "of an earlier run; give --table"),
        (("--local", "nowhere"), "nowhere: no such folder or archive of photos; check --local"),
        (("--visit", "failed"), "Choose from"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_their_names(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    ran = try_run(tmp_path, *words)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert message in ran.err


def test_counts_come_as_json_too(run, tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a"], "images": [""]}).write_csv(tmp_path / "items.csv")
    output = run("--table", str(tmp_path / "items.csv"), "--json", "--quiet")
    assert json.loads(output) == [{"status": "none", "reason": "no-source", "items": 1}]
