"""Two processes on loopback, started without torchrun; as a script, one of them: several.py JSON."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.processes import joined, leave
from prism_rec.runs.train import train
from prism_rec.testing import plant_features
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import AfterEpoch, EpochRecord

ITEMS = 12


def uneven() -> Dataset:
    """Return histories of 4 to 9 items, some without one modality or both."""
    random = np.random.default_rng(0)
    lists = [random.permutation(ITEMS)[: 4 + user % 6] for user in range(13)]
    users = np.repeat(np.arange(13), [len(one) for one in lists])
    log = pl.DataFrame({"user_id": users, "item_id": np.concatenate(lists)})
    planted = plant_features(ITEMS)
    items = pl.DataFrame({"item_id": np.arange(ITEMS)})
    features = {
        name: {str(item): row for item, row in enumerate(table.vectors[1:]) if table.present[item + 1]}
        for name, table in planted.items()
    }
    return Dataset.from_frame(log, items, features, time="order")


def settings(**changes: Any) -> dict[str, Any]:
    """Return settings without random numbers in training."""
    return {
        "model": {
            "width": 8,
            "max_length": 6,
            "fusion": {"kind": "prism_experts", "hidden": 8, "dropout": 0, "gate_dropout": 0, "mask": "zero"},
            "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0},
        },
        "train": {"epochs": 4, "batch_size": 5, "learning_rate": 0.01, "gradient_clip": 1.0},
        **changes,
    }


def start(words: Sequence[object], rank: int, world: int, port: int) -> "subprocess.Popen[str]":
    """Start Python with these arguments as one process of several."""
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "GLOO_SOCKET_IFNAME": "lo",
            "TORCH_CPP_LOG_LEVEL": "ERROR",
        },
    )


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def together(jobs: Sequence[Mapping[str, Any]], data: Path) -> list[dict[str, Any]]:
    """Train each job in two processes; return for each process the sum of its weights by job, and its error."""
    asked = json.dumps({"jobs": jobs, "data": str(data)})
    port = free_port()
    processes = [start([__file__, asked], rank, 2, port) for rank in range(2)]
    said = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert [err for _, err in said] == ["", ""], said
    return [json.loads(out) for out, _ in said]


class StoppedError(Exception):
    """Training was stopped by a test."""


def stop_after(epochs: int | None) -> AfterEpoch:
    """Return what ends training after some epochs; None: never."""

    def stop(records: Sequence[EpochRecord]) -> None:
        if len(records) == epochs:
            raise StoppedError

    return stop


def main(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Do the jobs as one process; if a job is stopped in the first process, the others lose it."""
    said: dict[str, Any] = {}
    try:
        with joined(torch.device("cpu")):
            for job in asked["jobs"]:
                config = RunConfig.parse(job["settings"], "here")
                hook = stop_after(job.get("stop"))
                run = train(config, job["out"], data=asked["data"], device="cpu", after_epoch=hook)
                name = Path(job["out"]).name
                said[name] = sum(
                    float(weight.float().abs().sum()) for weight in run.model.state_dict().values()
                )
    except (InputError, StoppedError) as error:
        said["error"] = str(error)
    return said


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
    leave(0)
