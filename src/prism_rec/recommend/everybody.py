"""Figures about all users together, so that a recommender can do without their histories."""

from pathlib import Path

import numpy as np

from prism_rec.config import Config
from prism_rec.data.histories import Histories, IntArray
from prism_rec.errors import DamagedError
from prism_rec.explain.gate_weights import mean_weights
from prism_rec.files import write_text_atomically
from prism_rec.folders import check_listed
from prism_rec.rank import CatalogueRanker

FILE = "everybody.json"


class Everybody(Config):
    """Facts about all users."""

    events: tuple[int, ...]
    """How many events each item has, in the order of the catalogue."""
    weights: dict[str, float]
    """The mean weight of each component."""

    @classmethod
    def of(cls, ranker: CatalogueRanker, histories: Histories) -> "Everybody":
        """Count and average whole histories."""
        events = histories.counts(ranker.number_of_items)[1:]
        return cls(events=tuple(events.tolist()), weights=mean_weights(ranker, histories))

    @classmethod
    def load(cls, folder: Path) -> "Everybody":
        """Read a file that `save` wrote.

        Raises:
            DamagedError: the file is missing or damaged.
        """
        check_listed(folder / FILE)
        try:
            return cls.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise DamagedError(f"{folder / FILE} is missing or damaged; save the recommender again") from None

    def save(self, folder: Path) -> None:
        """Write the facts."""
        write_text_atomically(folder / FILE, self.model_dump_json() + "\n")

    def by_popularity(self, number_of_items: int) -> IntArray:
        """Return all catalogue rows, the most events first; items that came later have none."""
        events = np.zeros(number_of_items, np.int64)
        events[: len(self.events)] = self.events
        return 1 + np.argsort(-events, kind="stable")
