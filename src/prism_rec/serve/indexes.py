"""How the best items of a catalogue are found: all items are scored, or candidates that an index finds."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.files import write_text_atomically
from prism_rec.plugins import Kinds

if TYPE_CHECKING:  # settings are read without torch
    from prism_rec.rank.index import CatalogueIndex
    from prism_rec.rank.ranker import CatalogueRanker, FindsItems

INDEX = "index"
"""How the names of all files begin."""
FACTS = f"{INDEX}.json"
K = 10
FIRST_PROBES = 8


class IndexSettings(Config, ABC):
    """The base of the settings of everything that finds the best items."""

    @abstractmethod
    def write(
        self, ranker: "CatalogueRanker", histories: Histories, folder: Path, events: Events
    ) -> list[str]:
        """Write an index that finds items quickly.

        Args:
            ranker: of the catalogue, on the CPU.
            histories: of users, to measure with; none if they are not known.
            folder: exists.
            events: hears what was measured.

        Returns:
            The names of the files, which begin with `INDEX`.

        Raises:
            InputError: a library is missing, or the index would be too poor.
        """

    @abstractmethod
    def load(self, ranker: "CatalogueRanker", folder: Path) -> "FindsItems":
        """Return the index in the files that `write` wrote."""


class Exact(IndexSettings):
    """Score every item. This takes about 25 ms for a million items of width 64."""

    kind: Literal["exact"] = "exact"
    """Name of the kind."""

    def write(
        self, ranker: "CatalogueRanker", histories: Histories, folder: Path, events: Events
    ) -> list[str]:
        """Write nothing."""
        return []

    def load(self, ranker: "CatalogueRanker", folder: Path) -> "FindsItems":
        """Return the ranker."""
        return ranker


class Approximate(IndexSettings):
    """Score the items of some lists only, whose number is chosen by measuring (extra `ann`)."""

    kind: Literal["approximate"] = "approximate"
    """Name of the kind."""
    least_recall: float = Field(0.95, gt=0, le=1)
    """Least share of the exactly best 10 items that are found. It is measured when the index is built, and as many
    lists are read as it needs."""
    recall_users: int = Field(300, ge=1)
    """Number of users for the measurement. If no histories are known, single items take their place."""

    def write(
        self, ranker: "CatalogueRanker", histories: Histories, folder: Path, events: Events
    ) -> list[str]:
        """Make lists, measure how many of them must be read, and write both."""
        try:
            import faiss  # noqa: F401
        except ImportError:
            raise InputError(
                "the index `approximate` needs faiss; install it with: pip install 'prism-rec[ann]'"
            ) from None
        from prism_rec.rank.index import CatalogueIndex, Lists

        lists = [[Lists.of(group) for group in one.groups] for _, one in ranker.members]
        index = CatalogueIndex(ranker, lists, FIRST_PROBES)
        reached = self._choose_probes(index, histories, events)
        for name, one in zip(_names(ranker), (one for groups in lists for one in groups), strict=True):
            one.save(folder / name)
        write_text_atomically(folder / FACTS, json.dumps({"probes": index.probes, "recall": reached}) + "\n")
        return [FACTS, *_names(ranker)]

    def load(self, ranker: "CatalogueRanker", folder: Path) -> "FindsItems":
        """Map the lists into memory."""
        from prism_rec.rank.index import CatalogueIndex, Lists

        names = iter(_names(ranker))
        lists = [
            [Lists.load(group, folder / next(names)) for group in one.groups] for _, one in ranker.members
        ]
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return CatalogueIndex(ranker, lists, facts["probes"])

    def _choose_probes(self, index: "CatalogueIndex", histories: Histories, events: Events) -> float:
        """Double the number of lists that are read until the recall is reached; return the recall."""
        from prism_rec.rank.index import recall

        some, whose = self._sample(histories, index.ranker.number_of_items)
        k = min(K, index.ranker.number_of_items)
        exact = list(index.ranker.best_items(some, k, index.ranker.seen))
        while (reached := recall(index, some, k, exact)) < self.least_recall:
            if index.probes >= index.most_lists:
                raise InputError(
                    f"the index finds {reached:.3f} of the best {k} items even if it reads all lists; use "
                    "`index` exact, or set `index.least_recall` lower"
                )
            index.probes = min(2 * index.probes, index.most_lists)
        events.note(
            f"index: recall@{k} {reached:.3f} for {len(some):,} {whose}, {index.probes:,} of {index.most_lists:,} "
            "lists are read"
        )
        if 4 * index.probes > index.most_lists:
            events.note(
                "note: this is hardly faster than `index` exact; an index serves catalogues of 100,000 items"
            )
        return reached

    def _sample(self, histories: Histories, number_of_items: int) -> tuple[Histories, str]:
        known = np.flatnonzero(histories.lengths > 0)
        if len(known):
            users = known[np.linspace(0, len(known) - 1, min(self.recall_users, len(known))).astype(int)]
            return histories.prefixes(users, histories.lengths[users]), "users"
        items = np.linspace(1, number_of_items, min(self.recall_users, number_of_items)).astype(int)
        return Histories.from_lists(items[:, None].tolist()), "histories of one item"


AnyIndex = Annotated[Exact | Approximate, Kinds("prism_rec.indexes", IndexSettings)]


def _names(ranker: "CatalogueRanker") -> list[str]:
    """Return the name of the file of each group of each member."""
    return [
        f"{INDEX}-{place}-{number}.faiss"
        for place, (_, one) in enumerate(ranker.members, start=1)
        for number in range(1, len(one.groups) + 1)
    ]
