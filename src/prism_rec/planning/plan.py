"""`plan`: time, memory and disk of a training run, from a count of its weights and a short measured probe."""

import json
import subprocess
import sys
from math import ceil
from pathlib import Path

import torch
from pydantic import BaseModel

from prism_rec.data.dataset import Dataset
from prism_rec.devices import choose_device
from prism_rec.errors import InputError
from prism_rec.planning.probe import Measured
from prism_rec.training.config import RunConfig

STATES = 4
"""A trained number takes four: its weight, its gradient and Adam's two moments."""


class Plan(BaseModel):
    """Time, memory and disk of a training run. Sizes are in bytes, times in seconds."""

    parameters: int
    """Numbers that are trained."""
    batches: int
    """Steps of one epoch."""
    memory: int
    """Most memory in use at once: of the process on a CPU, of the tensors on a GPU."""
    memory_there: int
    """Memory that the device has free now."""
    disk: int
    """Most disk in use at once: a copy of the data, the best weights, and the state, twice while it is written."""
    start_seconds: float
    """Before the first step: reading the data, making the model, and what is learnt from the data once."""
    epoch_seconds: float
    """One epoch without validation."""
    validation_seconds: float
    """One validation; 0 if the data has nothing to validate on."""
    epochs: int
    """Epochs at most; patience may stop training earlier."""
    seconds: float
    """All epochs, with the start, validations and checkpoints."""
    device: str
    """Device that was measured."""
    threads: int
    """Threads of the CPU."""


def plan(config: RunConfig, data: Path | str, *, device: str = "auto", threads: int | None = None) -> Plan:
    """Predict time, memory and disk of `train` with the same arguments. Nothing is kept.

    The weights are counted on a model without memory. If they fit, a process of its own trains for some seconds and
    ranks some users; an epoch is its mean step times the number of steps. Other programs on the machine count as they
    do in training.

    Args:
        config: all settings of the run.
        data: dataset folder that prepare or build wrote.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        threads: of the CPU; if not given, as many as PyTorch uses now.

    Raises:
        InputError: the settings do not fit the data; or the weights and their state do not fit the memory.
    """
    where, threads = choose_device(device), threads or torch.get_num_threads()
    dataset = Dataset.load(Path(data))
    parameters, there = count_parameters(config, dataset), free_memory(where)
    needed = parameters * STATES * 4
    if config.train.sparse_ids:  # no gradients of unused rows, and one moment
        needed -= 2 * dataset.number_of_items * config.model.width * 4
    if needed > there:
        raise InputError(
            f"{parameters:,} weights with gradients and moments take {in_gb(needed)}, and {where} has {in_gb(there)} "
            "free; lower `model.width`, or use another device"
        )
    measured = _probe(config, Path(data), str(where), threads)
    settings = config.train
    validations = ceil(settings.epochs / settings.validate_every)
    return Plan(
        parameters=parameters,
        batches=measured.batches,
        memory=measured.peak_bytes,
        memory_there=there,
        disk=_size(Path(data)) + parameters * 4 + 2 * measured.checkpoint_bytes,
        start_seconds=measured.start_seconds,
        epoch_seconds=measured.epoch_seconds,
        validation_seconds=measured.validation_seconds,
        epochs=settings.epochs,
        seconds=measured.start_seconds
        + settings.epochs * (measured.epoch_seconds + measured.checkpoint_seconds)
        + validations * measured.validation_seconds,
        device=str(where),
        threads=threads,
    )


def count_parameters(config: RunConfig, dataset: Dataset) -> int:
    """Return the number of trained numbers, without memory for them.

    Only the table of ids has a row per item, so that a model of no items is counted: no neighbours are searched for it.
    """
    with torch.device("meta"):
        model = config.model.build(
            0, {name: table.take(slice(1)) for name, table in dataset.features.items()}
        )
        objective = config.objective.build()
    weights = sum(weight.numel() for part in (model, objective) for weight in part.parameters())
    return weights + dataset.number_of_items * model.items.ids.embedding_dim


def free_memory(device: torch.device) -> int:
    """Return the bytes that a device has free."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:  # not Linux: not told
        return sys.maxsize
    return int(next(line.split()[1] for line in lines if line.startswith("MemAvailable"))) * 1024


def in_gb(size: int) -> str:
    """Return a size in words."""
    return f"{size / 2**30:,.1f} GB" if size >= 2**30 else f"{size / 2**20:,.0f} MB"


def _probe(config: RunConfig, data: Path, device: str, threads: int) -> Measured:
    asked = {
        "config": config.model_dump(mode="json"),
        "data": str(data),
        "device": device,
        "threads": threads,
    }
    done = subprocess.run(
        [sys.executable, "-m", "prism_rec.planning.probe"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it was killed; it may have run out of memory"])[-1]
        raise InputError(
            f"a short trial of these settings failed: {last}; train shows the same fault, or lower `train.batch_size`"
        )
    return Measured.model_validate_json(done.stdout.splitlines()[-1])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
