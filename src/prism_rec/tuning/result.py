"""The result of one trial."""

from typing import Literal

from prism_rec.config import Config
from prism_rec.tuning.ranges import Value


class TrialResult(Config):
    """The settings and the result of one trial."""

    number: int
    """Number of the trial, from 0."""
    state: Literal["complete", "pruned", "refused", "failed"]
    """Complete, or pruned because others did better by the same epoch, or refused because no model can be built from
    the settings, or failed because the loss diverged or memory ran out. Every trial counts in the budget. A refused or
    failed one is not repeated and is never the best."""
    chosen: dict[str, Value]
    """The values that the trial tried, by key."""
    value: float | None = None
    """The best validation metric; None if there was no validation."""
    best_epoch: int | None = None
    """The epoch of the best validation; None if there was no validation."""
    epochs: int = 0
    """Number of epochs."""
    seconds: float = 0.0
    """Time of all epochs without validation."""
    why: str = ""
    """Why the trial was refused or failed."""

    def describe(self, metric: str) -> str:
        """Return the result in one line for a person."""
        chosen = ", ".join(f"{key} {_shorten(value)}" for key, value in self.chosen.items())
        if self.state in ("refused", "failed"):
            return f"trial {self.number} {self.state} ({chosen}): {self.why}"
        cut = f", stopped early at epoch {self.epochs}" if self.state == "pruned" else ""
        return f"trial {self.number}: {metric} {self.value:.4f}{cut} ({chosen})"


def _shorten(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
