"""The pages from a log to HTTP and from a dump to the table are followed literally, in an empty folder."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from test_tutorial import ROOT, blocks_of

GUIDES = ROOT / "docs" / "how-to"


def follow(guide: str, folder: Path, changes: dict[str, str]) -> str:
    """Run all blocks of a guide as one script of the shell, with some words replaced; return what it prints."""
    command = folder / "bin" / "prism-rec"
    command.parent.mkdir()
    start = "from prism_rec.cli import main; main()"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
    command.chmod(0o755)
    script = "set -eu\n"
    for language, block in blocks_of(GUIDES / guide):
        if language == "yaml":
            name = block.splitlines()[0].removeprefix("# ")
            script += f"cat > {name} <<'END'\n{block}END\n"
        elif language == "python":
            script += f"'{sys.executable}' - <<'END'\n{block}END\n"
        else:
            script += block
    script = script.replace("set -eu\n", 'set -eu\ntrap \'[ -z "${server:-}" ] || kill "$server"\' EXIT\n')
    script = re.sub(r" &$", " &\nserver=$!", script, flags=re.MULTILINE)
    for old, new in changes.items():
        assert old in script
        script = script.replace(old, new)
    environment = {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "EXAMPLES": str(ROOT / "examples" / "movielens-small"),
    }
    ran = subprocess.run(["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


SMALL = {"width: 64": "width: 8", "max_length: 50": "max_length: 10"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell"),
]


def test_a_shop_from_a_log_to_http(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    said = follow(
        "shop.md",
        tmp_path,
        {
            **SMALL,
            "epochs: 30": "epochs: 1",
            'filter(pl.col("rating") >= 4)': 'filter(pl.col("rating") >= 4, pl.col("userId") <= 60)',
            "--port 8000": f"--port {port}",
            ":8000/": f":{port}/",
        },
    )
    answers = re.findall(r"^\d+ .+ -?\d+\.\d+ \{'id': ", said, re.MULTILINE)
    assert len(answers) == 5


def test_a_paper_from_a_dump_to_the_table(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    said = follow(
        "paper.md", tmp_path, SMALL | {"epochs: 40": "epochs: 2", "seeds: [0, 1, 2, 3, 4]": "seeds: [0]"}
    )
    assert "shuffled" in said
    table = (tmp_path / "runs" / "table" / "table.tex").read_text()
    assert all(name in table for name in ("popularity", "id", "sum", "prism", "shuffled"))
