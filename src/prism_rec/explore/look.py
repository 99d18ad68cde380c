"""What the page shows of a run: lists, what changed in them, and why."""

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from prism_rec.data.as_texts import as_texts
from prism_rec.errors import InputError
from prism_rec.explain.explanation import Explanation
from prism_rec.explain.gate_weights import GateWeights, weigh
from prism_rec.explain.hiding import modalities_of, without
from prism_rec.explore.question import Question
from prism_rec.recommend.items import TITLES
from prism_rec.recommend.recommender import Recommender

CATEGORIES = ("category", "categories", "genres", "genre")
FOUND = 12
"""Number of titles that a search shows."""


@dataclass(frozen=True)
class Item:
    """An item as a person sees it."""

    item_id: str
    title: str
    category: str


@dataclass(frozen=True)
class Recommended:
    """An item of a list.

    Attributes:
        item: what is recommended.
        rank: from 1.
        score: None if it was chosen by popularity.
        parts: what each component adds to the score.
        before: its rank in the list without changes; None if it was not among the first.
    """

    item: Item
    rank: int
    score: float | None
    parts: dict[str, float]
    before: int | None


@dataclass(frozen=True)
class Shown:
    """The list of one run."""

    items: list[Recommended]
    gone: list[Item]
    """Items of the list without changes that are not in this one."""
    why: Explanation | None


class Look:
    """A run to look at.

    Args:
        name: of the run, for people.
        recommender: of the run.
        k: length of the lists.
    """

    def __init__(self, name: str, recommender: Recommender, k: int) -> None:
        self.name = name
        self.recommender = recommender
        self.k = k
        self.frame = recommender.dataset.items
        ids = self.frame["item_id"]
        titles = self._texts(TITLES)
        self.titles = ids if titles is None else pl.select(pl.coalesce(titles, ids)).to_series()
        self.categories = self._texts(CATEGORIES)
        self.place = {item: place for place, item in enumerate(ids)}
        self._hidden: dict[tuple[str, ...], Recommender] = {(): recommender}

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that can be switched off; empty if the model uses ids only."""
        return modalities_of(self.recommender.ranker)

    @property
    def users(self) -> pl.Series:
        """The ids of the users of the run."""
        return self.recommender.dataset.users["user_id"]

    def item(self, item_id: str) -> Item:
        """Return title and category of a known item."""
        place = self.place[item_id]
        category = "" if self.categories is None else self.categories[place] or ""
        return Item(item_id, self.titles[place], category)

    def search(self, text: str) -> list[Item]:
        """Return items with a text in their title, the shortest titles first; or the item with that id."""
        if not text:
            return []
        has = self.titles.str.to_lowercase().str.contains(text.lower(), literal=True)
        found = pl.DataFrame({"id": self.frame["item_id"], "title": self.titles}).filter(
            has | (self.frame["item_id"] == text)
        )
        short = found.sort(pl.col("title").str.len_chars(), maintain_order=True)["id"].head(FOUND)
        return [self.item(item) for item in short]

    def shown(self, question: Question) -> Shown:
        """Return the list of a question, and how it differs from the list without changes."""
        off = tuple(name for name in self.modalities if name in question.off)
        known = [item for item in question.items if item in self.place]
        kept = [item for item in known if item not in question.out]
        frame = self._list(off, kept, known)
        plain = self._list((), known, known) if question.is_changed else frame
        ranks = dict(zip(plain["item_id"], plain["rank"], strict=True))
        names = self.recommender.component_names
        items = [
            Recommended(
                self.item(row["item_id"]),
                row["rank"],
                row["score"],
                {} if row["score"] is None else {name: row[name] for name in names},
                ranks.get(row["item_id"]),
            )
            for row in frame.iter_rows(named=True)
        ]
        gone = [self.item(item) for item in ranks if item not in set(frame["item_id"])]
        return Shown(items, gone, self._why(off, kept, question.why))

    @cached_property
    def weights(self) -> GateWeights | None:
        """The gate's weights after every user's history; None if no gate depends on it, or there is no history."""
        histories, ranker = self.recommender.dataset.histories, self.recommender.ranker
        users = np.flatnonzero(histories.lengths)
        whole = histories.prefixes(users, histories.lengths[users])
        return weigh(ranker, whole) if len(users) else None

    def own_weights(self, question: Question) -> dict[str, float]:
        """Return the gate's weights for a history; empty if it has no known item."""
        kept = [item for item in question.kept if item in self.place]
        return self.recommender.explain(kept, kept[-1]).weights if kept else {}

    def _list(self, off: tuple[str, ...], history: list[str], exclude: list[str]) -> pl.DataFrame:
        return self._without(off).recommend([history], k=self.k, exclude=exclude)

    def _why(self, off: tuple[str, ...], kept: list[str], item: str) -> Explanation | None:
        if item not in self.place or not kept:
            return None
        return self._without(off).explain(kept, item)

    def _without(self, off: tuple[str, ...]) -> Recommender:
        """Return the recommender as if no item had some modalities."""
        if off not in self._hidden:
            *before, last = off
            recommender = copy(self._without(tuple(before)))
            recommender.ranker = without(recommender.ranker, last)
            self._hidden[off] = recommender
        return self._hidden[off]

    def _texts(self, names: tuple[str, ...]) -> pl.Series | None:
        name = next((name for name in names if name in self.frame.columns), None)
        if name is None:
            return None
        return as_texts(self.frame[name]).str.replace_all("|", ", ", literal=True)


def require_same_items(first: Look, second: Look) -> None:
    """Refuse two runs that know no common item.

    Raises:
        InputError: they do not.
    """
    if not first.place.keys() & second.place.keys():
        raise InputError(
            f"{first.name} and {second.name} have no item in common; compare runs on the same data"
        )
