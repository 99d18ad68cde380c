"""Requests that are wrong in some way, to a real server: every answer has a reason, and the server lives.

    python benchmarks/fuzz_serve.py [--requests 100000] [--clients 4] [--seed 0] [--json]

Of the requests, 40 % are made from the server's own description by schemathesis, 30 % are nearly right, 28 % are
hostile bytes on a connection of their own, 1 % come from clients that stop halfway or do not read, and 1 % add items
to a second server. Every answer must be 2xx, or 4xx or 503 with one line of JSON.

A connection that the server closes without an answer is a fault, whatever the load of the machine, with one exception:
the server may close a connection on which nothing came for 2 s. If this client took that long itself, it asks again,
which is counted. `unanswered` counts connections without an answer, faults or not. Processes are
looked at before the first request and after every fortieth part: one that ended is a fault even if another has its
place. The status is 1 if there is a fault, or if a process has grown by more than 100 MB after the first fifth. The
requests are made in tests/fuzz; a smaller sample is one of the tests. Loopback only.
"""

import argparse
import http.client
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT / "src"), str(ROOT / "tests")]  # this file has the name of the folder in tests

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from fuzz import requests as made  # noqa: E402
from recommend.test_recommender import make_run  # noqa: E402

SHARES = {"described": 0.4, "nearly right": 0.3, "hostile": 0.28, "slow": 0.01, "items": 0.01}
SECONDS, MOST_GROWTH, BLOCKS, TRIES = 2, 100, 40, 5
"""Time of a server for a request; MB that a process may grow; parts in which requests are sent; times that a client
may be late."""


class Server(NamedTuple):
    process: subprocess.Popen[str]
    port: int

    def memory(self) -> dict[int, float]:
        """Return the resident memory in MB of the processes of the server."""
        found, parents = {}, {self.process.pid}
        for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
            with suppress(OSError):  # it ended
                facts = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
                if {int(facts["PPid"]), int(facts["Pid"])} & parents and "VmRSS" in facts:
                    parents.add(int(facts["Pid"]))
                    found[int(facts["Pid"])] = int(facts["VmRSS"].split()[0]) / 1000
        return found


@contextmanager
def serving(folder: Path, name: str, *words: str) -> Iterator[Server]:
    """Serve a small run with a token and users on a free port."""
    token, log = folder / "token", folder / f"{name}.log"
    token.write_text(made.TOKEN + "\n")
    command = [sys.executable, "-c", "from prism_rec.cli import main; main()", "serve", str(folder / "run")]
    command += ["--port", "0", "--workers", "2", "--users", "--max-seconds", str(SECONDS), *words]
    command += ["--token-file", str(token)]
    with log.open("w") as file, subprocess.Popen(command, stderr=file, text=True) as process:
        while not (found := re.search(r":(\d+), API", log.read_text())):
            time.sleep(0.2)
        try:
            server = Server(process, int(found[1]))
            while len(server.memory()) < 3:
                time.sleep(0.2)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Counts(NamedTuple):
    """What was sent and what came back."""

    sent: Counter[str]
    answers: Counter[str]
    asked_again: Counter[str]
    unanswered: Counter[str]
    faults: Counter[str]
    examples: dict[str, str]

    @classmethod
    def none(cls) -> "Counts":
        """Return counts of nothing."""
        return cls(Counter(), Counter(), Counter(), Counter(), Counter(), {})

    def add(self, other: "Counts") -> None:
        """Add what another process counted."""
        for mine, new in zip(self[:-1], other[:-1], strict=True):
            mine.update(new)
        self.examples.update(other.examples)


class Fuzz:
    """Sends requests to a server, and counts answers and faults."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.counts = Counts.none()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._used = time.perf_counter()
        self._lock = threading.Lock()

    def ask(
        self, kind: str, sent: bytes, attempt: Callable[[], made.Exchange], may_be_silent: bool = False
    ) -> None:
        """Send one request, again only if this client was late, and count what came back.

        Args:
            kind: of the request; counts are by what is before its colon.
            sent: the bytes, or what says as much to a reader.
            attempt: sends.
            may_be_silent: no answer is needed.
        """
        group, fault, answers = kind.partition(":")[0], "closed without an answer", []
        for _ in range(TRIES):
            try:
                answers, seconds = attempt()
            except (OSError, http.client.HTTPException, made.CutError) as error:  # or nothing came for 60 s
                fault = f"{type(error).__name__} in place of an answer"
                break
            late = not (answers or may_be_silent) and seconds >= SECONDS
            if not late:
                break
            with self._lock:
                self.counts.asked_again[group] += 1
        else:
            fault = f"unanswered, and this client was late {TRIES} times"
        method = sent.partition(b" ")[0].decode("latin-1")
        found = [made.complaint(answer, method) for answer in answers]
        found += [] if answers or may_be_silent else [fault]
        if "several requests" in kind and 0 < len(answers) < sent.count(b" HTTP/1.1\r\n"):
            found.append("closed after some of several answers")
        with self._lock:
            self.counts.sent[kind] += 1
            self.counts.answers.update(f"{group}: {answer.status}" for answer in answers)
            self.counts.unanswered[group] += not answers
            for fault in filter(None, found):
                self.counts.faults[f"{kind}: {fault}"] += 1
                self.counts.examples.setdefault(f"{kind}: {fault}", repr(sent[:300]))

    def request(self, kind: str, request: made.Request) -> None:
        """Send a request on the connection that stays open."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {made.TOKEN}"}

        def attempt() -> made.Exchange:
            begun = time.perf_counter() if self._connection.sock is None else self._used
            self._used, sent, answers = time.perf_counter(), 0.0, []
            try:
                self._connection.request(request.method, request.path, request.body, headers)
                sent = time.perf_counter()
                answer = self._connection.getresponse()
                answers = [made.Answer(answer.status, answer.read())]
            except (ConnectionResetError, BrokenPipeError):
                self._connection.close()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                raise
            return made.Exchange(answers, (sent or time.perf_counter()) - begun)

        text = b"%s %s " % (request.method.encode(), request.path.encode()) + (request.body or b"")
        self.ask(kind, text, attempt)

    def generated(
        self, kind: str, strategy: st.SearchStrategy[made.Request], number: int, start: int
    ) -> None:
        """Send requests that a strategy makes."""

        @seed(start)
        @settings(
            max_examples=number,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(request=strategy)
        def send(request: made.Request) -> None:
            self.request(kind, request)

        send()

    def hostile(self, number: int, start: int) -> None:
        """Send bytes that are made by hand, every kind equally often."""
        random, kinds = Random(start), list(made.HOSTILE.items())
        cases = [kinds[place % len(kinds)] for place in range(number)]
        self._at_once([(f"hostile: {kind}", make(random), True) for kind, make in cases], 8)

    def slow(self, number: int) -> None:
        """Let clients begin and stop."""
        cases = [list(made.SLOW.items())[place % len(made.SLOW)] for place in range(number)]
        self._at_once([(f"slow: {kind}", sent, kind != "no reading") for kind, sent in cases], 50)

    def _at_once(self, cases: list[tuple[str, bytes, bool]], clients: int) -> None:
        def one(case: tuple[str, bytes, bool]) -> None:
            kind, sent, reads = case
            self.ask(kind, sent, lambda: made.exchange(self.port, sent, reads), kind.startswith("slow"))

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(one, cases))


def block(ports: tuple[int, int], description: str, requests: int, start: int) -> Counts:
    """Send one part of all requests, every kind in its share."""
    number = {kind: max(1, round(requests * share)) for kind, share in SHARES.items()}
    fuzz, items = Fuzz(ports[0]), Fuzz(ports[1])
    fuzz.generated("described", strategy_of(description), number["described"], start)
    fuzz.generated("nearly right", made.nearly_right(), number["nearly right"], start)
    fuzz.hostile(number["hostile"], start)
    fuzz.slow(number["slow"])
    items.generated("items", made.nearly_right(("/items",)), number["items"], start)
    fuzz.counts.add(items.counts)
    return fuzz.counts


@cache
def strategy_of(description: str) -> st.SearchStrategy[made.Request]:
    """Return requests that a description allows or nearly allows."""
    return made.described(json.loads(description))


def run(folder: Path, requests: int, clients: int, start: int) -> dict[str, object]:
    """Send all requests; return what was counted."""
    make_run(folder / "run")
    counts = Counts.none()
    with serving(folder, "main") as server, serving(folder, "items", "--add-items") as other:
        ports = server.port, other.port
        memory = [server.memory() | other.memory()]
        first = made.send(server.port, made.head("/openapi.json", "GET") + b"\r\n", seconds=600)  # it begins
        description = first[0].body.decode()
        with ProcessPoolExecutor(clients, get_context("fork")) as pool:
            size = requests // BLOCKS
            parts = [pool.submit(block, ports, description, size, start + place) for place in range(BLOCKS)]
            for done, part in enumerate(as_completed(parts), start=1):
                counts.add(part.result())
                memory.append(server.memory() | other.memory())
                print(
                    f"{done} of {BLOCKS}: {counts.sent.total():,} requests, "
                    f"late {counts.asked_again.total()}, faults {dict(counts.faults)}",
                    file=sys.stderr,
                )
        good = [made.send(port, made.post(made.GOOD)) for port in ports]
    before, last = memory[1 + BLOCKS // 5], memory[-1]
    ended = sorted({process for one in memory for process in memory[0].keys() ^ one.keys()})
    if ended:
        counts.faults["processes that ended or began"] = len(ended)
    if not all(answers and answers[0].status == 200 for answers in good):
        counts.faults["no answer to a right request after all others"] += 1
    log = [line for name in ("main", "items") for line in (folder / f"{name}.log").read_text().splitlines()]
    return {
        "requests": counts.sent.total(),
        "sent": dict(sorted(counts.sent.items())),
        "answers": dict(sorted(counts.answers.items())),
        "asked again, because this client was late": dict(counts.asked_again),
        "unanswered": dict(+counts.unanswered),
        "faults": dict(counts.faults),
        "examples": counts.examples,
        "MB": [round(mb) for mb in last.values()],
        "MB grown": [round(last.get(process, 0) - mb) for process, mb in before.items()],
        "log": Counter(re.sub(r"[0-9.]+", "N", line)[:150] for line in log).most_common(12),
    }


def main() -> None:
    """Serve, send and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="equal seeds make equal requests")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        found = run(Path(name), options.requests, options.clients, options.seed)
    found["seconds"] = round(time.perf_counter() - begun)
    print(json.dumps(found, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(bool(found["faults"]) or max(found["MB grown"]) > MOST_GROWTH)


if __name__ == "__main__":
    main()
