"""The command in processes of its own: two workers, one address, a swap, and clients that do not behave."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fuzz.requests import HOSTILE, complaint, head, send
from prism_rec.cli.app import run as run_command
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.server import _watch, publish_if_new
from prism_rec.serve.settings import Serve
from prism_rec.serve.worker import Log
from recommend.test_recommender import make_run

SECONDS = 2.0
QUESTION = {"histories": [["item-01"]], "k": 2}


class Running(NamedTuple):
    process: int
    port: int
    link: Path
    log: list[str]


def ask(port: int, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer secret"}
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}{path}", data, headers), timeout=60) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith("{") else text
    except HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("served")
    make_run(folder / "first")
    (folder / "token").write_text("secret\n")
    link, log = folder / "current", []
    link.symlink_to(folder / "first")
    words = ["serve", str(link), "--port", "0", "--workers", "2", "--token-file", str(folder / "token")]
    words += ["--max-seconds", str(SECONDS), "--check-seconds", "0.1", "--bundle", str(folder / "bundle")]
    process = subprocess.Popen(
        [sys.executable, "-c", "from prism_rec.cli import main; main()", *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "serving" in line:
            break
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()), daemon=True)
    reader.start()
    found = re.search(r":(\d+), API", "".join(log))
    assert found, log
    yield Running(process.pid, int(found[1]), link, log)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in (0, -signal.SIGTERM), log
    reader.join()
    process.stderr.close()


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that another thread or process does, for one minute at most."""
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


@pytest.mark.slow
def test_workers_answer_and_add_up_what_they_count(running: Running) -> None:
    for _ in range(6):
        status, answer = ask(running.port, "/recommend", QUESTION)
        assert (status, len(answer["recommendations"][0])) == (200, 2)
    assert 'route="/recommend",status="200"} 6.0' in ask(running.port, "/metrics")[1]


@pytest.mark.slow
def test_another_run_is_served_without_a_failed_request(running: Running, tmp_path: Path) -> None:
    make_run(tmp_path / "second", width=4)
    stop, answers = threading.Event(), []

    def ask_on() -> None:
        while not stop.is_set():
            answers.append(ask(running.port, "/recommend", QUESTION))

    askers = [threading.Thread(target=ask_on) for _ in range(2)]
    for asker in askers:
        asker.start()
    wait_until(lambda: bool(answers))
    other = tmp_path / "link"
    other.symlink_to(tmp_path / "second")
    os.replace(other, running.link)
    wait_until(lambda: answers[-1][1]["version"] == 2)
    stop.set()
    for asker in askers:
        asker.join()
    assert {status for status, _ in answers} == {200}
    assert answers[0][1]["version"] == 1
    # One of the two workers may still read the new run; both must have it in the end.
    wait_until(lambda: {ask(running.port, "/health")[1]["version"] for _ in range(20)} == {2})
    assert any("the run has changed: version 2" in line for line in running.log)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /recommend HTTP/1.1\r\nHost: x\r\nAuthor",
        b"POST /recommend HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 50\r\n\r\n{",
        b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a body", "no HTTP"],
)
@pytest.mark.slow
def test_a_client_that_does_not_go_on_is_let_go(running: Running, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=20 * SECONDS) as client:
        client.sendall(sent)
        answer = b""
        while part := client.recv(4096):
            answer += part
    assert not sent.endswith(b"{") or b"408" in answer.split(b"\r\n")[0]
    assert ask(running.port, "/health")[0] == 200


@pytest.mark.parametrize("kind", sorted(HOSTILE))
@pytest.mark.slow
def test_hostile_bytes_get_a_reason(running: Running, kind: str) -> None:
    """More of them: `benchmarks/fuzz_serve.py`."""
    sent = HOSTILE[kind](Random(kind))
    answers = send(running.port, sent)
    method = sent.partition(b" ")[0].decode("latin-1")
    assert [complaint(answer, method) for answer in answers] == [None] * max(1, len(answers))
    assert ask(running.port, "/health")[0] == 200


def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(running: Running) -> None:
    (answer,) = send(running.port, head()[:-2] + b"\r\nX: " + b"a" * 1_000_000)
    assert answer.status == 431
    assert b"65536 bytes" in answer.body


class Looks:
    """Stands for the event that ends the watch: before each look at the run, the link gets the next target."""

    def __init__(self, link: Path, targets: list[Path]) -> None:
        self.link, self.targets = link, targets

    def wait(self, seconds: float) -> bool:
        if not self.targets:
            return True
        self.link.unlink()
        self.link.symlink_to(self.targets.pop(0))
        return False


def test_a_run_that_is_not_finished_is_said_once_and_the_old_version_stays(tmp_path: Path) -> None:
    class Notes(Events):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def note(self, line: str) -> None:
            self.lines.append(line)

    first, second, broken, link = (tmp_path / name for name in ("first", "second", "broken", "link"))
    make_run(first)
    make_run(second, width=4)
    broken.mkdir()
    link.symlink_to(first)
    bundles, notes = Bundles(tmp_path / "bundles"), Notes()
    publish_if_new(bundles, link, histories=False)
    looks = Looks(link, [broken, broken, second, broken, broken])
    _watch(bundles, link, Serve(), notes, looks)  # type: ignore[arg-type]
    unfinished = f"{link} is not a finished run now; the old version stays"
    assert notes.lines == [unfinished, "the run has changed: version 2", unfinished]


def test_a_line_of_the_log_is_one_line_of_plain_characters(capsys: pytest.CaptureFixture[str]) -> None:
    Log().note('{"route": "/health"}')
    Log().note("the folder é\x1b[2J\nhas nothing")
    assert capsys.readouterr().err == '{"route": "/health"}\nthe folder \\xe9\\x1b[2J\\nhas nothing\n'


def test_mistakes_are_reported_in_one_line(running: Running, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for words, message in (
        (["--port", str(running.port)], "cannot listen on 127.0.0.1"),
        (["--port", "0", "--token-file", str(tmp_path / "empty")], "has no token"),
        (["--port", "0", "--token-file", str(tmp_path / "none")], "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            run_command(["serve", str(running.link), *words])
    with pytest.raises(InputError, match="is not a finished run"):
        run_command(["serve", str(tmp_path), "--port", "0"])
    with pytest.raises(InputError, match="nowhere does not exist; check the path"):
        run_command(["serve", str(tmp_path / "nowhere"), "--port", "0"])


@pytest.mark.slow
def test_a_worker_that_was_killed_is_started_again_and_named(running: Running) -> None:
    children = Path(f"/proc/{running.process}/task/{running.process}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    worker = next(child for child, command in commands.items() if "spawn_main" in command)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: any(f"worker {worker} ended" in line for line in running.log))
    assert any(f"worker {worker} ended" in line for line in running.log)
    assert ask(running.port, "/recommend", QUESTION)[0] == 200
