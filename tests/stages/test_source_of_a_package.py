"""A package that is installed adds a source and a split: by the command line, in Python and with the contracts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "plugins.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
SOURCE = next(block for block in BLOCKS if "class Sessions" in block)
SOURCE_CONTRACT = next(block for block in BLOCKS if "SourceContract" in block)
SPLIT = '''
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data import Split


class LastThird(Config):
    """The last third of a history has the questions."""

    kind: Literal["last-third"] = "last-third"
    """Name of the split."""
    fewest: int = Field(3, ge=3)
    """Histories with fewer events are in training only."""
    shortest_history: ClassVar[int] = 1
    needs_times: ClassVar[bool] = False

    def cut(self, histories, timestamps) -> Split:
        lengths = histories.lengths
        long = lengths >= self.fewest
        end = np.where(long, lengths - np.maximum(2, lengths // 3), lengths)
        last = np.where(long, lengths - 1, lengths)
        return Split(end, last, np.where(long, end, -1), np.where(long, last, -1))
'''
SPLIT_CONTRACT = """
from prism_rec.testing import SplitContract
from last_third import LastThird


class TestLastThird(SplitContract):
    config = LastThird()
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with the package as an installer leaves it."""
    folder = tmp_path / "site-packages"
    facts = folder / "session_logs-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: session-logs\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[prism_rec.sources]\nsessions = session_logs:Sessions\n\n"
        "[prism_rec.splits]\nlast_third = last_third:LastThird\n"
    )
    (folder / "session_logs.py").write_text(SOURCE)
    (folder / "last_third.py").write_text(SPLIT)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    sessions = {user: [str(item) for item in range(6 + number)] for number, user in enumerate("abc")}
    (tmp_path / "log.json").write_text(json.dumps(sessions))
    return tmp_path / "log.json"


def run(package: Path, *command: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
    words = [sys.executable, *map(str, command)]
    env = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100"}
    return subprocess.run(words, capture_output=True, text=True, env=env)


def prism_rec(package: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return run(package, "-c", "from prism_rec.cli.app import main; main()", *words)


@pytest.mark.slow
def test_the_command_line_has_the_kinds_and_their_options(package: Path, log: Path, tmp_path: Path) -> None:
    words = ("prepare", "--source", "sessions", "--sessions", log, "--out", tmp_path / "data")
    ran = prism_rec(package, *words, "--prefix", "i", "--split", "last-third", "--fewest", 7, "--json")
    assert ran.returncode == 0, ran.stderr
    facts = json.loads(ran.stdout)
    assert (facts["users"], facts["items"], facts["interactions"]) == (3, 8, 21)
    assert facts["split"]["kind"] == "last-third"
    assert (facts["split"]["training_interactions"], facts["split"]["test_queries"]) == (6 + 5 + 6, 2)
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    assert manifest["config"]["source"] == {"kind": "sessions", "sessions": "log.json", "prefix": "i"}
    assert list(manifest["inputs"]) == [f"{tmp_path.name}/log.json"]
    assert prism_rec(
        package, *words, "--prefix", "i", "--split", "last-third", "--fewest", 7
    ).stderr.endswith("prepare: done before\n")
    assert json.loads(prism_rec(package, "describe", tmp_path / "data", "--json").stdout) == facts


@pytest.mark.slow
def test_help_and_errors_name_the_options(package: Path, log: Path, tmp_path: Path) -> None:
    shown = prism_rec(package, "prepare", "--help").stdout
    assert "Source sessions" in shown
    assert "Text before every item id." in shown
    assert "Split last-third" in shown
    words = ("prepare", "--source", "sessions", "--out", tmp_path / "data")
    assert prism_rec(package, *words).stderr == "error: --sessions: missing; add it\n"
    wrong = prism_rec(package, *words, "--sessions", log, "--split", "last-third", "--fewest", 2)
    assert wrong.stderr.startswith("error: --fewest: ")
    foreign = prism_rec(package, *words, "--sessions", log, "--quantiles", 0.1, 0.2)
    assert foreign.stderr.startswith(
        "error: --quantiles belongs to --split temporal, cold-items, not to --split leave-one-out"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_without_the_package_its_dataset_names_the_missing_kind(
    package: Path, log: Path, tmp_path: Path
) -> None:
    words = ("prepare", "--source", "sessions", "--sessions", log, "--split", "last-third")
    assert prism_rec(package, *words, "--out", tmp_path / "data").returncode == 0
    ran = prism_rec(tmp_path / "nowhere", "describe", tmp_path / "data")
    assert ran.returncode == 2
    assert ran.stderr.endswith(
        "splits.json: rule.kind: there is no 'last-third'; "
        "choose one of leave-one-out, temporal, cold-items, given, none, or install the package that adds it\n"
    )


def test_python_has_the_kinds(package: Path, log: Path, tmp_path: Path) -> None:
    script = f"""
import json
from pathlib import Path
from last_third import LastThird
from session_logs import Sessions
from prism_rec.data import Dataset
from prism_rec.stages.prepare import Prepare, prepare

log, out = Path({str(log)!r}), Path({str(tmp_path)!r}) / "data"
raw = Sessions(sessions=log).read()
frames = [Dataset.from_frame(raw.events, time="order", split=split) for split in ("last-third", LastThird())]
values = {{"source": {{"kind": "sessions", "sessions": log}}, "split": "last-third"}}
frames += [prepare(Prepare.parse(values), out), Dataset.load(out)]
print(json.dumps([[type(made.rule).__name__, made.split.counts()["test_queries"]] for made in frames]))
"""
    ran = run(package, "-c", script)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [["LastThird", 3]] * 4


@pytest.mark.slow
def test_the_package_runs_the_contracts(package: Path, tmp_path: Path) -> None:
    tests = tmp_path / "test_sessions.py", tmp_path / "test_last_third.py"
    for path, contract in zip(tests, (SOURCE_CONTRACT, SPLIT_CONTRACT), strict=True):
        path.write_text(contract)
    ran = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", *tests)
    assert ran.returncode == 0, ran.stdout
    assert "18 passed" in ran.stdout
