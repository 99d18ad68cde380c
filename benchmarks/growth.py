"""Time per token and peak memory as data and catalogue grow: python benchmarks/growth.py RESULTS.jsonl [--small].

Each case runs in a process of its own, for `--seconds` or one epoch, and its result is one line of the file. A case
that the file has is not run again, so that an interrupted benchmark continues. Data are made up: every user has about
as many events, and items are drawn by a power law.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prism_rec.batches import BatchPlan
from prism_rec.data.histories import Histories
from prism_rec.planning.probe import SomeBatches
from prism_rec.rank import Ranker
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

# name: (users, items, events per user)
TRAIN = {
    "200 thousand events": (10_000, 20_000, 20),
    "2 million events": (100_000, 20_000, 20),
    "20 million events": (1_000_000, 20_000, 20),
    "1 million users, 1 million items": (1_000_000, 1_000_000, 10),
    "1 million users, 1 million items, sparse ids": (1_000_000, 1_000_000, 10),
}
RANK = {"rank 1 million items": 1_000_000, "rank 10 million items": 10_000_000}
# name: items; the same batches with a full softmax, for memory only.
SOFTMAX = {"softmax over 20 thousand": 20_000, "softmax over 200 thousand": 200_000}
SMALL = {"200 thousand events", "2 million events", "rank 1 million items", *SOFTMAX}


def histories(users: int, items: int, events: int) -> Histories:
    """Return random histories; a third of all events are of an eightieth of the items."""
    random = np.random.default_rng(0)
    lengths = random.integers(events // 2, events + events // 2 + 1, users)
    offsets = np.concatenate([[0], lengths.cumsum()])
    drawn = (items * random.random(offsets[-1]) ** 4).astype(np.int64) + 1
    return Histories(drawn, offsets)


def measure_training(name: str, seconds: float) -> dict[str, Any]:
    """Return time per token, steps and epoch time, of a training for some seconds."""
    users, items, events = TRAIN[name] if name in TRAIN else (10_000, SOFTMAX[name], 20)
    objective = "sampled_cross_entropy" if name in TRAIN else "cross_entropy"
    data = histories(users, items, events)
    training = {"batch_size": 512, "sparse_ids": name.endswith("sparse ids")}
    run = RunConfig.parse({"objective": {"kind": objective}, "train": training}, "growth")
    torch.manual_seed(0)
    model, made = run.model.build(items, {}), run.objective.build()
    made.begin_training(model, data)
    step = TrainStep(model, made)
    optimizer = make_optimizer(step, run.train)
    batches = made.batches(data, BatchPlan(model.max_length, run.train.batch_size, 0))
    train_epoch(step, optimizer, SomeBatches(batches, 3, seconds), 1, run.train)
    some = SomeBatches(batches, len(batches), seconds)
    train_epoch(step, optimizer, some, 1, run.train)
    spent = time.perf_counter() - some.began
    tokens = (data.lengths - 1).sum() * some.given / len(batches)
    return {
        "microseconds_per_token": round(1e6 * spent / tokens, 2),
        "steps": some.given,
        "epoch_seconds": round(spent / some.given * len(batches), 1),
        "whole_epoch": some.given == len(batches),
    }


def measure_ranking(name: str) -> dict[str, Any]:
    """Return the time of ranking all items for 256 users, D 64."""
    run = RunConfig.parse({}, "growth")
    model = run.model.build(RANK[name], {})
    asked = histories(256, RANK[name], 20)
    began = time.perf_counter()
    ranker = Ranker(model, 256)
    tables = time.perf_counter() - began
    ranker.rank(asked, np.ones(256, np.int64), k=10)
    return {
        "tables_seconds": round(tables, 1),
        "seconds": round(time.perf_counter() - began - tables, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--small", action="store_true", help="only the cases that fit into 2 GB")
    parser.add_argument("--seconds", type=float, default=60, help="of each training; inf for a whole epoch")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.case:
        found = (
            measure_ranking(given.case) if given.case in RANK else measure_training(given.case, given.seconds)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        line = {"case": given.case, "threads": given.threads, "peak_gb": round(peak, 2), **found}
        with given.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line))
        return
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    done = {json.loads(line)["case"] for line in lines}
    for case in [*TRAIN, *RANK, *SOFTMAX]:
        if case not in done and (case in SMALL or not given.small):
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--case", case], check=True)


if __name__ == "__main__":
    main()
