"""The state of a training run in one file, from which it goes on bit for bit."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from prism_rec.errors import DamagedError
from prism_rec.files import replacing
from prism_rec.tensor_files import Stored, write_tensors


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and JSON facts so that a reader sees the old file or the new one, never a part of it.

    A hash of all of them is written too, so that `load_tensors` notices every change.
    """
    values = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = json.dumps(facts)
    with replacing(path) as partial, partial.open("wb") as file:
        stored = {
            name: Stored(str(one.dtype).removeprefix("torch."), tuple(one.shape), _bytes_of(one))
            for name, one in values.items()
        }
        write_tensors(file, stored, {"facts": content, "sha256": _hash(values, content)})


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file that `save_tensors` wrote.

    Raises:
        DamagedError: the file is missing or was changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            metadata = file.metadata() or {}
        if metadata["sha256"] != _hash(tensors, metadata["facts"]):
            raise ValueError
        return tensors, json.loads(metadata["facts"])
    except (OSError, SafetensorError, KeyError, ValueError):
        raise DamagedError(f"{path} is missing or damaged; train again") from None


def _hash(tensors: Mapping[str, Tensor], facts: str) -> str:
    found = hashlib.sha256(facts.encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(_bytes_of(tensor).data)
    return found.hexdigest()


def _stored(tensor: Tensor) -> Stored:
    return Stored(str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), _bytes_of(tensor))


def _bytes_of(tensor: Tensor) -> np.ndarray:
    return tensor.reshape(-1).view(torch.uint8).numpy()


class TrainingState:
    """Everything that decides how a run goes on: weights, their average, optimiser moments, random numbers, and facts.

    Args:
        step: the module with the weights that are trained.
        optimizer: over its parameters.
        device: draws the run's random numbers, next to the CPU.
        average: of the weights, if there is one.
    """

    def __init__(
        self,
        step: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: torch.device,
        average: nn.Module | None = None,
    ) -> None:
        self.modules = {"weights": step} | ({} if average is None else {"average": average})
        self.optimizer = optimizer
        self.device = device

    def save(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Write everything to one file."""
        tensors = {
            f"{name}/{key}": tensor
            for name, module in self.modules.items()
            for key, tensor in module.state_dict().items()
        }
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{key}": tensor for key, tensor in moments.items()}
        tensors["random/cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self.device)
        save_tensors(path, tensors, facts)

    def restore(self, path: Path) -> dict[str, Any]:
        """Restore everything to its state when `path` was written; return the facts."""
        tensors, facts = load_tensors(path)
        for name, module in self.modules.items():
            module.load_state_dict(_below(tensors, name))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _below(tensors, "optimizer").items():
            number, _, moment = key.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        torch.set_rng_state(tensors["random/cpu"])
        if "random/cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random/cuda"], self.device)
        return facts


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")}
