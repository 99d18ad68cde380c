"""One trial: what it tried, and what came of it."""

from collections.abc import Sequence
from typing import Literal

from prism_rec.config import Config
from prism_rec.train import Listener
from prism_rec.tune.ranges import Value


class Outcome(Config):
    """What came of a trial.

    `refused`: no model can be built of the settings. `failed`: its loss diverged, or it ran out of memory. `why` gives
    the reason; such a trial is one of the budget's like any other, is not made again, and is never the best.

    `value` is the best validation metric and `best_epoch` where it was, as far as the trial came; both None where it
    came to no validation.
    """

    number: int
    state: Literal["complete", "pruned", "refused", "failed"]
    chosen: dict[str, Value]
    value: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    seconds: float = 0.0
    why: str = ""


class SearchListener(Listener):
    """Hears how a search goes, and in each trial how training goes."""

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        """Hear all trials that have ended, the newest last; called once before the first that is made."""
