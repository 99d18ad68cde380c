import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec.cli.app import run
from prism_rec.cli.train import _said_if_stopped
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
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(words)
    facts = json.loads((tmp_path / "run" / "manifest.json").read_text())
    best, value = facts["best_epoch"], facts["validation"]["ndcg@10"]
    told = f"best epoch {best} of 3: validation ndcg@10 {value:.4f}\nwrote {tmp_path / 'run'}"
    assert told in capsys.readouterr().out
    run(words)
    again = capsys.readouterr()
    assert told in again.out
    assert again.err == f"done before: {tmp_path / 'run'}\n"


def test_quiet_is_silent_and_json_is_one_document(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run([*words, "--quiet", "--json"])
    out, err = capsys.readouterr()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert json.loads(out) == {
        name: value for name, value in manifest.items() if name not in ("files", "inputs")
    }
    assert err == ""


def test_a_finished_run_is_refused_without_resume(words: list[str]) -> None:
    run(words)
    with pytest.raises(
        InputError,
        match="run has earlier work in it; .* continue the work with --resume",
    ):
        run([*words, "--no-resume"])


@pytest.mark.slow
def test_threads_are_used(words: list[str]) -> None:
    before = torch.get_num_threads()
    try:
        run([*words, "--threads", "2"])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("log", "after"), [("{}\n{}\n", "after epoch 2"), (None, "before the end of the first epoch")]
)
def test_an_interruption_says_how_far_the_run_is(tmp_path: Path, log: str | None, after: str) -> None:
    if log is not None:
        (tmp_path / "log.jsonl").write_text(log)
    with pytest.raises(KeyboardInterrupt) as ended, _said_if_stopped(tmp_path):
        raise KeyboardInterrupt
    assert str(ended.value) == f"interrupted: stopped {after}; the same command with --resume continues"


def test_a_search_is_named_with_the_command_that_runs_it(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text("tune: {trials: 3}\n")
    with pytest.raises(InputError, match=r"search\.yaml has a section tune; search with prism-rec tune"):
        run(["train", str(tmp_path / "search.yaml"), "--data", str(tmp_path), "--out", str(tmp_path / "out")])
