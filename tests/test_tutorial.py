"""Every command of the tutorial runs, one after another."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from command_line import prism_rec

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "tutorial.md"


def test_the_commands_of_the_tutorial_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "recipes"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for language, block in re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        if language == "python":
            exec(compile(block, str(GUIDE), "exec"), {})
            continue
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.replace("train.epochs=10", "train.epochs=1"))
            assert words[0] == "prism-rec"
            ran = prism_rec(*words[1:])
            assert ran.status == 0, f"{line}\n{ran.err}"
    table = pl.read_csv(tmp_path / "recommendations.csv")
    assert table["user_id"].to_list() == ["ann"] * 5 + ["ben"] * 5
