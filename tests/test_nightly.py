"""The script of the guide `Every night` runs for two days."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from prism_rec.runs.folder import RunFolder

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "examples" / "nightly.sh"


def write_shop(folder: Path, share: float) -> None:
    """Write the first part of the bundled log, and the films in it."""
    data = ROOT / "examples" / "movielens-small"
    ratings = pl.read_csv(data / "ratings.csv.gz").filter(pl.col("rating") >= 4).sort("timestamp")
    busy = ratings.filter(pl.col("userId") <= 60)
    log = busy.head(int(share * len(busy))).rename({"userId": "user_id", "movieId": "item_id"})
    log.write_csv(folder / "log.csv")
    films = pl.read_csv(data / "movies.csv.gz").rename({"movieId": "item_id"})
    sold = films.filter(pl.col("item_id").is_in(log["item_id"].implode()))
    unsold = films.filter(~pl.col("item_id").is_in(log["item_id"].implode())).head(5)
    pl.concat([sold, unsold]).write_csv(folder / "items.csv")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")
def test_two_nights_of_which_each_may_be_run_again(tmp_path: Path) -> None:
    model = {"width": 8, "max_length": 10, "fusion": {"kind": "prism_experts", "hidden": 6}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"model": model, "train": {"epochs": 1}}))
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "prism-rec"
    start = "from prism_rec.cli import main; main()"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "EPOCHS": "1",
    }
    for share, days in ((0.9, ["monday"]), (1.0, ["tuesday", "monday"])):
        write_shop(tmp_path, share)
        ran = subprocess.run(
            ["sh", str(SCRIPT), *days], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        said = ran.stderr
        again = subprocess.run(
            ["sh", str(SCRIPT), *days], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert again.returncode == 0, again.stderr
        for step in ("prepare: done before", f"done before: runs/{days[0]}", "add-items: done before"):
            assert step in again.stderr
    assert "begun from runs/monday: " in said
    assert RunFolder(tmp_path / "runs/tuesday").read_start() is not None
    monday, tuesday = (
        pl.read_parquet(tmp_path / f"recommendations-{day}.parquet") for day in ("monday", "tuesday")
    )
    assert (
        monday["user_id"].n_unique()
        <= tuesday["user_id"].n_unique()
        == len(pl.read_parquet(tmp_path / "data/tuesday/users.parquet"))
    )
    wider = pl.read_parquet(tmp_path / "runs/tuesday-all/data/items.parquet")
    assert len(wider) == 5 + len(pl.read_parquet(tmp_path / "data/tuesday/items.parquet"))
    assert tuesday["basis"].unique().to_list() == ["model"]
