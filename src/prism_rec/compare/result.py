"""What a cell leaves behind beside its run: one JSON file that tells whether it is whole."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from prism_rec.config import Config
from prism_rec.folders import hash_file, write_text_atomically
from prism_rec.train import EpochRecord

RESULT = "result.json"
RANKS = "ranks-test.npz"


class GateWeights(Config):
    """How a gate weighs the J components after each test user's last item: J lists over the users."""

    components: tuple[str, ...]
    mean: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    """For each component the weights at 5, 25, 50, 75 and 95 % of the users."""
    histogram: tuple[tuple[int, ...], ...]
    """For each component the users with a weight in each twentieth of 0 to 1."""


class CellResult(Config):
    """All that a table or a report says of one cell; its ranks lie beside it."""

    version: str
    data: str
    model: str
    seed: int
    config: dict[str, Any]
    search_trials: int = 0
    """How many trials the settings were chosen in; 0: they are the recipe's own."""
    loss: str
    negatives: int | None
    """Drawn for each position or batch, as the objective has it; None: none are drawn, all items count."""
    device: str
    threads: int
    parameters: int
    peak_memory_mb: int
    training_seconds: float
    """Of all epochs, without validation, whether or not the run was interrupted."""
    testing_seconds: float
    best_epoch: int
    stopped_by: Literal["patience", "epochs"] | None
    """What ended training: validation no longer got better, or there were no epochs left; None: not trained."""
    epochs: tuple[EpochRecord, ...]
    test: dict[str, Any]
    gate: GateWeights | None
    ranks_sha256: str

    @property
    def was_improving(self) -> bool:
        """Whether the last epoch was the best: with more of them it might have become better."""
        return 0 < self.best_epoch == len(self.epochs)

    @property
    def share(self) -> float:
        """The share of the training examples that an epoch had; nothing is left out where there was none."""
        return self.epochs[-1].share if self.epochs else 1.0

    def save(self, folder: Path) -> None:
        """Write the file, last of all in its folder, with a hash of its own contents."""
        content = self.model_dump(mode="json")
        text = json.dumps({"sha256": _hash(content), "result": content}, indent=2, ensure_ascii=False)
        write_text_atomically(folder / RESULT, text + "\n")


def as_share(share: float) -> str:
    """Return a share in per cent; a small one is not told as none."""
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def load_result(folder: Path) -> CellResult | None:
    """Read a cell's result; None where there is none, or where it or the ranks beside it are damaged."""
    try:
        file = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        result = CellResult.model_validate(file["result"])
        whole = file["sha256"] == _hash(file["result"]) and result.ranks_sha256 == hash_file(folder / RANKS)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if whole else None


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
