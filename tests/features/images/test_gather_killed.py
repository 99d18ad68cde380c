"""Killed with SIGKILL at random moments and resumed: nothing lost, nothing recorded fetched again."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from features.images.picture_server import PictureServer
from prism_rec.features.images import PICTURES
from prism_rec.stages.images import Images
from prism_rec.stages.images import images as run

CONNECTIONS = 4
PICTURES_IN_ALL = 150
KILLS = 10

# Imports once, then forks a gathering process for every line it reads, so that ten runs need only one start.
FORKER = """
import os, sys
from pathlib import Path
from prism_rec.stages.images import Images, images

out, options = Path(sys.argv[1]), Images.model_validate_json(sys.argv[2])
for _ in sys.stdin:
    if not (child := os.fork()):
        images(options, out)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


@pytest.fixture
def forker(table: Path, images: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", FORKER, str(images), settings(table).model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def table(server: PictureServer, tmp_path: Path) -> Path:
    urls = [f"{server.base}/ok/{n}.jpg" for n in range(PICTURES_IN_ALL)]
    path = tmp_path / "table.parquet"
    pl.DataFrame({"item_id": range(PICTURES_IN_ALL), "images": urls}).write_parquet(path)
    return path


@pytest.mark.slow
def test_killed_ten_times_nothing_is_lost_or_fetched_twice(
    server: PictureServer, table: Path, images: Path, forker: subprocess.Popen[str]
) -> None:
    server.delay = 0.01
    moments = random.Random(7)
    progress = []
    for _ in range(KILLS):
        before, seen = recorded(images), len(server.log)
        run_and_kill(forker, server, requests=moments.randrange(16), pause=moments.uniform(0.0, 0.03))
        assert asked_since(server, seen).isdisjoint(before)
        assert before <= recorded(images)
        progress.append(len(recorded(images)))
    assert len(set(progress)) > KILLS // 2, "most kills should hit a run at work"
    assert progress[-1] < PICTURES_IN_ALL

    before, seen = recorded(images), len(server.log)
    run(settings(table), images)
    assert asked_since(server, seen).isdisjoint(before)
    # Beyond one request a picture there are only those that were under way when the process died.
    assert server.requests.total() <= PICTURES_IN_ALL + KILLS * CONNECTIONS
    assert (pl.read_parquet(images / PICTURES)["status"] == "ok").all()

    server.delay = 0
    run(settings(table), images.with_name("unkilled"))
    assert hash_files(images / "pictures") == hash_files(images.with_name("unkilled") / "pictures")
    assert not (images / "partial").exists()


def settings(table: Path) -> Images:
    return Images(table=table, allow_private=True, size=32, connections=CONNECTIONS, per_host=4, attempts=1)


def run_and_kill(forker: subprocess.Popen[str], server: PictureServer, requests: int, pause: float) -> None:
    """Kill a run with SIGKILL so many seconds after the server has seen so many requests of it."""
    assert forker.stdin is not None
    assert forker.stdout is not None
    forker.stdin.write("run\n")
    forker.stdin.flush()
    child = int(forker.stdout.readline())
    enough, deadline = len(server.log) + requests, time.monotonic() + 20
    while len(server.log) < enough and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(pause)
    os.kill(child, signal.SIGKILL)
    assert forker.stdout.readline() == "gone\n"


def recorded(images: Path) -> set[str]:
    """Return the sources whose outcome is in the journal; a last line that was cut does not count."""
    journal = images / "journal.jsonl"
    lines = journal.read_bytes().split(b"\n")[1:-1] if journal.exists() else []
    return {json.loads(line)["source"] for line in lines}


def asked_since(server: PictureServer, seen: int) -> set[str]:
    return {server.base + path for path, _ in server.log[seen:]}


def hash_files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
