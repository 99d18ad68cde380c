"""Making one search before the cells that need it."""

from collections.abc import Sequence

import torch

from prism_rec.compare.plan import ModelSearch
from prism_rec.compare.schedule import Tell
from prism_rec.tune import Outcome, SearchListener, tune
from prism_rec.tune.run import best_of


def run_search(search: ModelSearch, device: str, threads: int, tell: Tell) -> str:
    """Make the trials that are still to be made. Call it with the search's folder `locked`.

    Returns:
        What was done, for people.

    Raises:
        InputError: see `tune`.
    """
    torch.set_num_threads(threads)
    herald = _Herald(tell)
    tune(search.search, search.dataset, search.folder, device, herald)
    if herald.first == search.steps:
        return "kept"
    return f"done, went on from trial {herald.first}" if herald.first else "done"


class _Herald(SearchListener):
    """Tells of each trial that has ended; `first` is how many had ended before."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.first: int | None = None

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        if self.first is None:
            self.first = len(outcomes)
        best = best_of(outcomes)
        self.tell(f"best {best.value:.4f}" if best else "", len(outcomes))
