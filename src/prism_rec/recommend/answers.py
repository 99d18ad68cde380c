"""The best items for users as a table or as lists: by the model, or by popularity for users without a known history."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from prism_rec.data.histories import IntArray
from prism_rec.rank import CatalogueRanker, FindsItems, Seen
from prism_rec.recommend.items import Items
from prism_rec.recommend.questions import Questions

FloatArray = npt.NDArray[np.floating[Any]]

MODEL, POPULARITY = "model", "popularity"
"""What a recommendation is based on."""


class Best(NamedTuple):
    """The best items of some users, R rows, those of a user one after another."""

    places: IntArray  # [R], the user's place in the questions
    rows: IntArray  # [R], in the catalogue
    ranks: IntArray  # [R], from 1
    scores: FloatArray | None  # [R]; None: ranked by popularity
    parts: FloatArray  # [R, J], what the components add to the scores


class Answers(NamedTuple):
    """Ranks the catalogue for users, and returns tables or lists."""

    ranker: CatalogueRanker
    finder: FindsItems
    items: Items
    popular: Callable[[], IntArray]
    """Returns all catalogue rows, those with the most events first; called only if somebody has no known history."""

    def frame(self, asked: Questions, k: int, seen: Seen, allowed: IntArray | None) -> pl.DataFrame:
        """Return the k best items of each user, users in the given order.

        Args:
            asked: the users.
            k: number of items per user.
            seen: `remove` or `keep` the items of the history.
            allowed: catalogue rows that may be recommended; None: all.
        """
        frame = pl.concat([self._frame(best) for best in self._best(asked, k, seen, allowed)])
        if not asked.histories.lengths.all():
            frame = frame.sort("place", maintain_order=True)
        users = pl.Series("user_id", asked.users, dtype=pl.String).gather(frame["place"])
        names = self.items.named(frame["row"].to_numpy())
        return pl.concat([users.to_frame(), names, frame.drop("place", "row")], how="horizontal")

    def lists(
        self, asked: Questions, k: int, seen: Seen, allowed: IntArray | None
    ) -> list[list[dict[str, Any]]]:
        """Return the k best items of each user as plain values, which takes less time than a table for a few users.

        Each item is `item_id`, `title`, `score` and `contributions`; without a score, there are no contributions.
        """
        lists: list[list[dict[str, Any]]] = [[] for _ in asked.users]
        names = self.ranker.component_names
        for best in self._best(asked, k, seen, allowed):
            scores = [None] * len(best.rows) if best.scores is None else best.scores.tolist()
            parts = [()] * len(best.rows) if best.scores is None else best.parts.tolist()
            for place, row, score, part in zip(
                best.places.tolist(), best.rows.tolist(), scores, parts, strict=True
            ):
                item, title = self.items.name(row)
                contributions = dict(zip(names, part, strict=False))
                lists[place].append(
                    {"item_id": item, "title": title, "score": score, "contributions": contributions}
                )
        return lists

    def _best(self, asked: Questions, k: int, seen: Seen, allowed: IntArray | None) -> Iterator[Best]:
        known = np.flatnonzero(asked.histories.lengths > 0)
        yield self._popular(np.flatnonzero(asked.histories.lengths == 0), k, allowed)
        yield from self._by_model(asked, known, k, seen, allowed)

    def _popular(self, places: IntArray, k: int, allowed: IntArray | None) -> Best:
        best = np.empty(0, np.int64)
        if len(places):
            rows = self.popular()
            best = (rows if allowed is None else rows[np.isin(rows, allowed)])[:k]
        return Best(
            np.repeat(places, len(best)),
            np.tile(best, len(places)),
            np.tile(np.arange(1, len(best) + 1), len(places)),
            None,
            np.empty((0, 0)),
        )

    def _by_model(
        self, asked: Questions, known: IntArray, k: int, seen: Seen, allowed: IntArray | None
    ) -> Iterator[Best]:
        histories = asked.with_items().histories
        for questions, users, scores_Bk, rows_Bk in self.finder.best_items(histories, k, seen, allowed):
            found = rows_Bk > 0
            user, place = np.nonzero(found)
            rows = torch.from_numpy(rows_Bk).to(self.ranker.device)
            parts_BkJ = self.ranker.contributions(users, rows).cpu().numpy()
            yield Best(
                known[questions[user]],
                rows_Bk[found].astype(np.int64),
                place + 1,
                scores_Bk[found],
                parts_BkJ[found],
            )

    def _frame(self, best: Best) -> pl.DataFrame:
        """Return one row per user and item; without scores they were ranked by popularity."""
        ranked = best.scores is not None

        def numbers(values: FloatArray | None) -> pl.Series:
            if values is None or not ranked:
                return pl.repeat(None, len(best.rows), dtype=pl.Float32, eager=True)
            return pl.Series(values, dtype=pl.Float32)

        columns = {
            "place": best.places,
            "row": best.rows,
            "score": numbers(best.scores),
            "rank": pl.Series(best.ranks, dtype=pl.Int64),
            "basis": pl.repeat(MODEL if ranked else POPULARITY, len(best.rows), dtype=pl.String, eager=True),
        }
        names = self.ranker.component_names
        return pl.DataFrame(
            columns | {name: numbers(best.parts[:, j] if ranked else None) for j, name in enumerate(names)}
        )
