"""The result of a cell: one JSON file next to its run, which shows if it is damaged."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from prism_rec.config import Config
from prism_rec.explain.gate_weights import GateWeights
from prism_rec.files import hash_file, write_text_atomically
from prism_rec.runs.folder import RunFolder
from prism_rec.training.loop import EpochRecord


class CellResult(Config):
    """Everything that a table or a report says about one cell, except the ranks, which are a file of their own."""

    version: str
    """Version of the library that made the cell."""
    data: str
    """Name of the dataset in the recipe."""
    model: str
    """Name of the model in the recipe."""
    seed: int
    """Seed of the run."""
    config: dict[str, Any]
    """All settings of the run; empty if nothing was trained."""
    search_trials: int = 0
    """Number of trials that the settings were chosen in; 0 if they are the recipe's own."""
    loss: str
    """Kind of the objective."""
    negatives: int | None
    """Negatives per position or batch, as the objective counts them; None if none are drawn and all items count."""
    device: str
    """Device of the training."""
    threads: int
    """Threads of the CPU."""
    parameters: int
    """Number of trained numbers."""
    peak_memory_mb: int
    """The most memory in use at once."""
    training_seconds: float
    """Time of all epochs without validation, whether or not the run was interrupted."""
    testing_seconds: float
    """Time to rank all test targets."""
    best_epoch: int
    """The epoch whose weights were tested; 0 if nothing was trained."""
    stopped_by: Literal["patience", "epochs"] | None
    """What ended training: `patience` if validation no longer improved, `epochs` if no epochs were left; None if
    nothing was trained."""
    epochs: tuple[EpochRecord, ...]
    """The records of all epochs."""
    test: dict[str, Any]
    """The test report: metrics, intervals, slices."""
    gate: GateWeights | None
    """The weights of the gate; None if the model has no gate that depends on the user."""
    ranks_sha256: str
    """Hash of the file with the ranks."""

    @property
    def was_improving(self) -> bool:
        """Whether the last epoch was the best, so that more epochs might have helped."""
        return 0 < self.best_epoch == len(self.epochs)

    @property
    def share(self) -> float:
        """The part of the training examples that an epoch had; 1 if there were no epochs."""
        return self.epochs[-1].share if self.epochs else 1.0

    def save(self, folder: RunFolder) -> None:
        """Write the file, as the last one of its folder, with a hash of its contents."""
        content = self.model_dump(mode="json")
        text = json.dumps({"sha256": _hash(content), "result": content}, indent=2, ensure_ascii=False)
        write_text_atomically(folder.result, text + "\n")


def as_share(share: float) -> str:
    """Return a share in per cent; a small one is not shown as 0 %."""
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def load_result(folder: Path) -> CellResult | None:
    """Read a cell's result; None if there is none, or if it or the ranks next to it are damaged."""
    files = RunFolder(folder)
    try:
        file = json.loads(files.result.read_text(encoding="utf-8"))
        result = CellResult.model_validate(file["result"])
        whole = file["sha256"] == _hash(file["result"]) and result.ranks_sha256 == hash_file(files.ranks)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if whole else None


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
