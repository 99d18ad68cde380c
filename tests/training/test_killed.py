"""A run that is killed and started again ends as one that was left alone, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from prism_rec.training.checkpoint import load_tensors
from prism_rec.training.loop import EpochRecord
from training.killable import run_small

BEST, LAST = "best.safetensors", "last.safetensors"
SCRIPT = Path(__file__).parent / "killable.py"
KILLS = 3


def timeless(records: list[EpochRecord]) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in records]


def strike(folder: Path, epochs: int, delay: float) -> int:
    """Start or resume the run, kill it a little after so many further epochs, and return how many it had."""
    with subprocess.Popen([sys.executable, SCRIPT, folder], stdout=subprocess.PIPE, text=True) as process:
        reached = 0
        for _ in range(epochs):
            reached = int(process.stdout.readline() or reached)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return reached


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_was_left_alone(tmp_path):
    alone, records = run_small(tmp_path)
    killed = tmp_path / "killed"
    killed.mkdir()
    moments = random.Random(0)
    for _ in range(KILLS):
        # An epoch takes some 50 ms; after a resume, the epochs there are already are announced first.
        reached = strike(killed, moments.randint(1, 2), moments.uniform(0, 0.06))
        assert reached < len(records)
        _, facts = load_tensors(killed / LAST)
        assert len(facts["records"]) >= reached
    model, resumed = run_small(killed)
    assert timeless(resumed) == timeless(records)
    for name in (BEST, LAST):
        ours, theirs = load_tensors(killed / name)[0], load_tensors(tmp_path / name)[0]
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name
    for key, value in model.state_dict().items():
        assert torch.equal(value, alone.state_dict()[key]), key


@pytest.mark.parametrize("file", [LAST, BEST])
def test_a_half_written_file_is_never_taken_for_whole(tmp_path, file):
    """What a kill leaves of a save stands beside the file itself, and the next save replaces it."""
    _, records = run_small(tmp_path, train={"epochs": 2})
    whole = (tmp_path / file).read_bytes()
    (tmp_path / f"{file}.partial").write_bytes(whole[: len(whole) // 2])
    _, resumed = run_small(tmp_path, train={"epochs": 4})
    assert timeless(resumed[:2]) == timeless(records)
    assert len(resumed) == 4
    assert not (tmp_path / f"{LAST}.partial").exists()
