"""Load on a server of recommendations: 12,101 items of D 64, histories of 20 items, everything on this machine.

    python benchmarks/serve.py [--workers 2] [--seconds 10] [--json]

A model with random weights is served by `prism-rec serve`. First, 16 connections send as many requests as they can, one
history each. Then 200 per second are sent at even intervals, and then the same again while the model is replaced. The
figures are requests per second, quantiles of the time since a request was due, and failed requests. The client is one
process on the same cores, so that the server has less than the whole machine. Loopback only.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import numpy as np
import polars as pl

from prism_rec import Dataset, RunConfig
from prism_rec.runs.train import train

ITEMS, LENGTH, CONNECTIONS, RATE = 12_101, 20, 16, 200


def make_run(folder: Path, seed: int) -> None:
    """Write a run of the size of Amazon Beauty: PRISM over two modalities of 64 numbers, one short epoch."""
    random = np.random.default_rng(seed)
    ids = [str(item) for item in range(ITEMS)]
    events = [(user, item) for user in range(ITEMS // 10) for item in random.permutation(ITEMS)[:10]]
    events += [(ITEMS, item) for item in range(ITEMS)]
    log = pl.DataFrame(events, schema=["user_id", "item_id"], orient="row").cast(pl.String)
    log = log.with_columns(timestamp=pl.int_range(pl.len()))
    features = {name: (random.normal(size=(ITEMS, 64)), ids) for name in ("image", "text")}
    config = {
        "model": {
            "width": 64,
            "max_length": 50,
            "fusion": {"kind": "prism"},
            "backbone": {"kind": "sasrec"},
        },
        "train": {"epochs": 1, "seed": seed},
    }
    train(RunConfig.parse(config), folder, data=Dataset.from_frame(log, features=features))


class Load:
    """Asks the server, and keeps the time of every answer."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.random = np.random.default_rng(0)
        self.times: list[float] = []
        self.failed = 0
        self.versions: set[int] = set()

    async def ask(self, due: float) -> None:
        """Ask for one history."""
        history = [str(item) for item in self.random.integers(0, ITEMS, LENGTH)]
        try:
            answer = await self.client.post("/recommend", json={"histories": [history], "k": 10})
            answer.raise_for_status()
            self.versions.add(answer.json()["version"])
        except httpx2.HTTPError:
            self.failed += 1
        self.times.append(time.perf_counter() - due)

    async def as_much_as_possible(self, seconds: float) -> None:
        """Ask on all connections until the time is over."""
        until = time.perf_counter() + seconds

        async def one() -> None:
            while time.perf_counter() < until:
                await self.ask(time.perf_counter())

        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))

    async def at_a_rate(self, seconds: float) -> None:
        """Ask at even intervals, if earlier answers came or not."""
        begun, asked = time.perf_counter(), []
        for number in range(int(RATE * seconds)):
            due = begun + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(self.ask(due)))
        await asyncio.gather(*asked)

    def figures(self, seconds: float) -> dict[str, float | int]:
        """Return what was measured."""
        p50, p99 = np.quantile(self.times, [0.5, 0.99]) * 1000
        return {
            "per second": round(len(self.times) / seconds, 1),
            "p50 ms": round(float(p50), 1),
            "p99 ms": round(float(p99), 1),
            "failed": self.failed,
            "versions": len(self.versions),
        }


async def measure(address: str, seconds: float, swap: Path, link: Path) -> dict[str, dict[str, float | int]]:
    """Return the figures of both loads, and of the second one while the model is replaced."""
    found = {}
    limits = httpx2.Limits(max_connections=4 * CONNECTIONS, max_keepalive_connections=4 * CONNECTIONS)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=30) as client:
        await Load(client).as_much_as_possible(2)  # warms up
        for name, rate, replace in (("most", None, False), ("200 per s", RATE, False), ("swap", RATE, True)):
            load = Load(client)
            if replace:
                other = link.with_name("next")
                other.symlink_to(swap)
                os.replace(other, link)
            begun = time.perf_counter()
            await (load.at_a_rate(seconds) if rate else load.as_much_as_possible(seconds))
            found[name] = load.figures(time.perf_counter() - begun)
    return found


def main() -> None:
    """Serve, load and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in (1, 2):
            make_run(folder / str(number), number)
        link = folder / "current"
        link.symlink_to(folder / "1")
        words = ["serve", str(link), "--port", "0", "--workers", str(options.workers)]
        command = [sys.executable, "-c", "from prism_rec.cli import main; main()", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            line = next(line for line in server.stderr if "serving" in line)
            address = line.partition(" at ")[2].partition(",")[0]
            try:
                found = asyncio.run(measure(address, options.seconds, folder / "2", link))
            finally:
                server.send_signal(signal.SIGTERM)
                server.communicate(timeout=60)
    found["machine"] = {"cores": os.cpu_count() or 1, "load before": round(os.getloadavg()[0], 1)}
    sys.stdout.write(
        json.dumps(found, indent=2) + "\n"
        if options.json
        else "".join(f"{k}: {v}\n" for k, v in found.items())
    )


if __name__ == "__main__":
    main()
