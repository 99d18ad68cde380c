"""Making one search before the cells that need it."""

from collections.abc import Sequence

import torch

from prism_rec.compare.plan import ModelSearch
from prism_rec.compare.schedule import Tell
from prism_rec.tune import Outcome, SearchListener, tune
from prism_rec.tune.run import best_of


def run_search(search: ModelSearch, device: str, threads: int, tell: Tell) -> None:
    """Make the trials that are still to be made. Call it with the search's folder `locked`.

    Raises:
        InputError: see `tune`.
    """
    torch.set_num_threads(threads)
    tune(search.search, search.dataset, search.folder, device, _Herald(tell))


class _Herald(SearchListener):
    """Tells of each trial that has ended."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        best = best_of(outcomes)
        self.tell(f"best {best.value:.4f}" if best else "", len(outcomes))
