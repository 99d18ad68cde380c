"""`prism-rec images` from the outside."""

from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from features.images.picture_server import PictureServer
from prism_rec.cli.images import images
from prism_rec.errors import InputError
from prism_rec.features.images import PICTURES


@pytest.fixture
def run(tmp_path: Path):
    app = typer.Typer()
    app.command()(images)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["--out", str(tmp_path / "images"), *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_counts_by_status_and_retry_without_the_table(run, server: PictureServer, tmp_path: Path) -> None:
    paths = ["/ok/a.jpg", "/error/a.jpg", "/missing/a.jpg"]
    pl.DataFrame({"asin": ["a", "b", "c"], "url": [server.base + path for path in paths]}).write_csv(
        tmp_path / "items.csv"
    )
    columns = ["--item-column", "asin", "--source-column", "url", "--attempts", "1"]
    output = run("--table", str(tmp_path / "items.csv"), *columns, "--allow-private")
    assert f"prism-rec images --out {tmp_path / 'images'} --retry-failed" in output
    counts = {tuple(line.split()) for line in output.splitlines()}
    assert {("ok", "1"), ("retry", "http-500", "1"), ("failed", "http-404", "1")} <= counts
    server.works_again = True
    output = run("--retry-failed", "--allow-private")
    assert ("ok", "2") in {tuple(line.split()) for line in output.splitlines()}
    assert server.requests == {"/ok/a.jpg": 1, "/error/a.jpg": 2, "/missing/a.jpg": 1}
    run("--refresh", "--allow-private")
    assert server.requests == {"/ok/a.jpg": 2, "/error/a.jpg": 3, "/missing/a.jpg": 2}
    assert pl.read_parquet(tmp_path / "images" / PICTURES)["status"].to_list() == ["ok", "ok", "failed"]


def test_what_is_refused_is_told_with_the_option_that_allows_it(run, tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a"], "images": ["http://127.0.0.1/a.jpg"]}).write_csv(tmp_path / "items.csv")
    assert "--allow-private if you trust the table" in run("--table", str(tmp_path / "items.csv"))


def test_options_that_exclude_each_other_or_make_no_sense_are_refused(run) -> None:
    with pytest.raises(InputError, match="give one of them"):
        run("--retry-failed", "--refresh")
    with pytest.raises(InputError, match="images: size: "):
        run("--size", "3")
    with pytest.raises(InputError, match="name the table"):
        run("--retry-failed")
