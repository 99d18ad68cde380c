"""Load on a server of recommendations: histories of 20 items, everything on this machine.

    python benchmarks/serve.py [--workers 2] [--seconds 10] [--json]
    python benchmarks/serve.py --items 1000000 --fusion sum --index approximate --rate 100

With up to 20,000 items, a model of width 64 with nearly random weights is served by `prism-rec serve`. With more, a
model is trained on 3,000 items of 300 clusters, and the others are added with features of the same clusters. First, 16
connections send as many requests as they can, one history each. Then `--rate` per second are sent at even intervals.
With up to 20,000 items, the same is done again while the model is replaced. The figures are requests per second,
quantiles of the time since a request was due, failed requests, what the index said when it was built (recall@10
against exact), and the memory of each process with one worker and with `--workers`. The bundle is made by a server of
its own before, so that its memory is not counted. The client is one process on the same cores, so that the server has
less than the whole machine. Loopback only. A million items need 3 minutes of preparation, 6 GB of memory and 5 GB of
disk.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx2
import numpy as np
import polars as pl

from prism_rec import Dataset, RunConfig, load
from prism_rec.runs.train import train

LENGTH, CONNECTIONS = 20, 16
FEW, TRAINED, CLUSTERS, USERS = 20_000, 3_000, 300, 4_000


def make_run(folder: Path, seed: int, items: int, fusion: str) -> None:
    """Write a run like one of Amazon Beauty: two modalities of 64 numbers, one short epoch."""
    random = np.random.default_rng(seed)
    ids = [str(item) for item in range(items)]
    events = [(user, item) for user in range(items // 10) for item in random.permutation(items)[:10]]
    events += [(items, item) for item in range(items)]
    log = pl.DataFrame(events, schema=["user_id", "item_id"], orient="row").cast(pl.String)
    features = {name: (random.normal(size=(items, 64)), ids) for name in ("image", "text")}
    _train(folder, seed, log, features, fusion, epochs=1)


def make_large_run(folder: Path, seed: int, items: int, fusion: str) -> None:
    """Write a run whose users stay in three clusters of items; most items came after training."""
    random = np.random.default_rng(seed)
    cluster = random.integers(0, CLUSTERS, items)
    features = {
        name: random.normal(size=(CLUSTERS, 64))[cluster] + 0.7 * random.normal(size=(items, 64))
        for name in ("image", "text")
    }
    by_cluster = [np.flatnonzero(cluster[:TRAINED] == one) for one in range(CLUSTERS)]
    events = []
    for user in range(USERS):
        own = np.concatenate([by_cluster[one] for one in random.integers(0, CLUSTERS, 3)])
        events += [(user, item) for item in random.permutation(own)[:15]]
    log = pl.DataFrame(events, schema=["user_id", "item_id"], orient="row").cast(pl.String)
    ids = [str(item) for item in range(items)]
    known = {name: (vectors[:TRAINED], ids[:TRAINED]) for name, vectors in features.items()}
    with TemporaryDirectory() as small:
        _train(Path(small) / "run", seed, log, known, fusion, epochs=6)
        recommender = load(Path(small) / "run", "cpu")
        new = sorted(set(ids) - set(recommender.dataset.items["item_id"]), key=int)
        rows = np.array(new, np.int64)
        vectors = {name: (vectors[rows].astype(np.float32), new) for name, vectors in features.items()}
        recommender.add_items(pl.DataFrame({"item_id": new}), vectors, encode=False)
        recommender.save(folder)


def _train(
    folder: Path, seed: int, log: pl.DataFrame, features: dict[str, Any], fusion: str, epochs: int
) -> None:
    log = log.with_columns(timestamp=pl.int_range(pl.len()))
    config = {
        "model": {"width": 64, "max_length": 50, "fusion": {"kind": fusion}, "backbone": {"kind": "sasrec"}},
        "train": {"epochs": epochs, "seed": seed},
    }
    train(RunConfig.parse(config), folder, data=Dataset.from_frame(log, features=features))


def memory(process: int) -> dict[str, list[int]]:
    """Return the memory in MB of a process and its children: all of it, and (pss) divided by those that share it."""
    found: dict[str, list[int]] = {"rss": [], "pss": []}
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        with suppress(OSError, ValueError, KeyError):  # it ended
            facts = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            if process not in (int(facts["PPid"]), int(facts["Pid"])):
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()[1:]
            sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
            found["rss"].append(round(sizes["Rss"] / 1000))
            found["pss"].append(round(sizes["Pss"] / 1000))
    return found


class Served(NamedTuple):
    """A server that listens."""

    process: subprocess.Popen[str]
    address: str
    said: list[str]


@contextmanager
def serving(run: Path, workers: int, index: str) -> Iterator[Served]:
    """Serve a run from a bundle next to it, which is made if it is not there."""
    words = ["serve", str(run), "--bundle", str(run.with_name("bundle")), "--index", index]
    words += ["--port", "0", "--workers", str(workers)]
    command = [sys.executable, "-c", "from prism_rec.cli import main; main()", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            said = []
            for line in server.stderr:
                said.append(line.strip())
                if "serving" in line:
                    break
            else:
                sys.exit("\n".join(said))
            yield Served(server, said[-1].partition(" at ")[2].partition(",")[0], said)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)


class Load:
    """Asks the server, and keeps the time of every answer."""

    def __init__(self, client: httpx2.AsyncClient, items: int, rate: int) -> None:
        self.client = client
        self.items, self.rate = items, rate
        self.random = np.random.default_rng(0)
        self.times: list[float] = []
        self.failed = 0
        self.versions: set[int] = set()

    async def ask(self, due: float) -> None:
        """Ask for one history."""
        history = [str(item) for item in self.random.integers(0, self.items, LENGTH)]
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
        for number in range(int(self.rate * seconds)):
            due = begun + number / self.rate
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


async def ask_for(address: str, seconds: float, items: int) -> None:
    """Ask all workers as often as they can."""
    async with httpx2.AsyncClient(base_url=address, timeout=600) as client:
        await Load(client, items, 1).as_much_as_possible(seconds)


async def measure(
    address: str, options: argparse.Namespace, swap: Path, link: Path
) -> dict[str, dict[str, float | int]]:
    """Return the figures of both loads, and of the second one while the model is replaced."""
    found = {}
    limits = httpx2.Limits(max_connections=4 * CONNECTIONS, max_keepalive_connections=4 * CONNECTIONS)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=30) as client:
        await Load(client, options.items, options.rate).as_much_as_possible(2)  # warms up
        at_a_rate = f"{options.rate} per s"
        for name in ("most", at_a_rate, *(["swap"] if swap.exists() else [])):
            load = Load(client, options.items, options.rate)
            if name == "swap":
                other = link.with_name("next")
                other.symlink_to(swap)
                os.replace(other, link)
            begun = time.perf_counter()
            await (load.as_much_as_possible if name == "most" else load.at_a_rate)(options.seconds)
            found[name] = load.figures(time.perf_counter() - begun)
    return found


def main() -> None:
    """Serve, load and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--fusion", default="prism")
    parser.add_argument("--index", default="exact")
    parser.add_argument("--rate", type=int, default=200, help="requests per second of the second load")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder, begun = Path(name), time.perf_counter()
        few = options.items <= FEW
        for number in (1, 2) if few else (1,):
            make = make_run if few else make_large_run
            make(folder / str(number), number, options.items, options.fusion)
        made = time.perf_counter()
        link = folder / "current"
        link.symlink_to(folder / "1")
        with serving(link, 1, options.index) as server:
            said = server.said
        found: dict[str, Any] = {
            "seconds": {"run": round(made - begun), "bundle": round(time.perf_counter() - made)}
        }
        with serving(link, 1, options.index) as server:
            asyncio.run(ask_for(server.address, 2, options.items))
            found["MB, one worker"] = memory(server.process.pid)
        with serving(link, options.workers, options.index) as server:
            found |= asyncio.run(measure(server.address, options, folder / "2", link))
            found[f"MB, {options.workers} workers"] = memory(server.process.pid)
    found["index"] = [line for line in said if "index" in line]
    found["machine"] = {"cores": os.cpu_count() or 1, "load before": round(os.getloadavg()[0], 1)}
    sys.stdout.write(
        json.dumps(found, indent=2) + "\n"
        if options.json
        else "".join(f"{k}: {v}\n" for k, v in found.items())
    )


if __name__ == "__main__":
    main()
