"""Every command of the tutorial runs, one after another, and then every one of the guide that uses its run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from command_line import prism_rec
from prism_rec import Dataset

ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "docs" / "tutorial.md", ROOT / "docs" / "how-to" / "recommend.md"]
EXPORT = ROOT / "docs" / "how-to" / "export.md"


def blocks_of(guide: Path) -> list[tuple[str, str]]:
    return re.findall(r"```(\w+)\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)


def run_blocks(guide: Path) -> None:
    names: dict[str, object] = {}
    for language, block in blocks_of(guide):
        if language == "python":
            exec(compile(block, str(guide), "exec"), names)
            continue
        if language == "yaml":  # its first line is the name of the file
            Path(block.splitlines()[0].removeprefix("# ")).write_text(block)
            continue
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.replace("train.epochs=10", "train.epochs=1"))
            assert words[0] == "prism-rec"
            ran = prism_rec(*words[1:])
            assert ran.status == 0, f"{line}\n{ran.err}"


@pytest.mark.slow
def test_the_commands_of_the_tutorial_and_of_its_continuation_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "recipes"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for guide in GUIDES:
        run_blocks(guide)
    built = Dataset.load(tmp_path / "data" / "built" / "dataset")
    prepared = Dataset.load(tmp_path / "data" / "shop-with-photos")
    assert sorted(built.features) == sorted(prepared.features) == ["photo", "text"]
    assert built.features["photo"].present.sum() == prepared.features["photo"].present.sum() > 100
    table = pl.read_csv(tmp_path / "recommendations.csv")
    assert table["user_id"].to_list() == ["ann"] * 5 + ["ben"] * 5
    everybody = pl.read_parquet(tmp_path / "everybody.parquet")
    assert everybody.group_by("user_id").len()["len"].unique().to_list() == [10]
    run_elsewhere(EXPORT, tmp_path)


def run_elsewhere(guide: Path, folder: Path) -> None:
    """Run the blocks in a process of their own: torch cannot trace functions whose annotations are checked."""
    script = "import sys\nfrom prism_rec.cli.app import run\n"
    for language, block in blocks_of(guide):
        script += f"run({shlex.split(block)[1:]!r})\n" if language == "sh" else block
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the same 10 items as the run for 200 histories" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("popularity")
