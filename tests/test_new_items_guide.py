"""The commands of the guide on new items run, and the benchmark reads what they make."""

import subprocess
import sys
from pathlib import Path

import pytest

from prism_rec import Dataset
from test_tutorial import ROOT, run_blocks


@pytest.mark.slow
def test_the_commands_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "recipes"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    run_blocks(ROOT / "docs" / "how-to" / "new-items.md")
    candidates = Dataset.load("data/cold").queries("validation").candidates
    assert candidates is not None
    benchmark = str(ROOT / "benchmarks" / "cold_items.py")
    done = subprocess.run(
        [sys.executable, benchmark, "data/cold", "runs/cold"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = {
        line[:40].strip(): float(line.split("first")[1].split()[0]) for line in done.stdout.splitlines()[1:]
    }
    assert lines["random (expected)"] == round(20 / len(candidates), 4)
    assert lines["neighbours by words, last 20"] > lines["random (expected)"]
    assert "runs/cold" in lines
