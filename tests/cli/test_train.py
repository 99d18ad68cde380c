import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from prism_rec.cli.app import app
from prism_rec.data import Dataset
from prism_rec.errors import InputError


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(12), 5),
            "item_id": np.concatenate([random.permutation(8)[:5] for _ in range(12)]),
        }
    )
    Dataset.from_frame(log, time="order").save(tmp_path / "data")
    (tmp_path / "run.yaml").write_text(
        "model: {width: 8, max_length: 5}\ntrain: {epochs: 3, learning_rate: 0.01}\n"
    )
    return [
        "train",
        str(tmp_path / "run.yaml"),
        "--data",
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "run"),
    ]


def test_the_best_epoch_is_told_as_the_folder_has_it_once_trained_and_when_asked_again(
    words: list[str], tmp_path: Path
) -> None:
    first = CliRunner().invoke(app, words, catch_exceptions=False)
    facts = json.loads((tmp_path / "run" / "manifest.json").read_text())
    best, value = facts["best_epoch"], facts["validation"]["ndcg@10"]
    told = f"best epoch {best} of 3: validation ndcg@10 {value:.4f}\nwrote {tmp_path / 'run'}"
    assert told in first.stdout
    assert told in CliRunner().invoke(app, [*words, "--resume"], catch_exceptions=False).stdout


def test_a_finished_run_is_not_trained_over(words: list[str]) -> None:
    CliRunner().invoke(app, words, catch_exceptions=False)
    with pytest.raises(InputError, match="--resume"):
        CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)
