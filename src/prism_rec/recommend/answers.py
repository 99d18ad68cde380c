"""The best items for users as a table: by the model, or by popularity for users without a known history."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
import torch

from prism_rec.data.histories import IntArray
from prism_rec.rank import CatalogueRanker, Seen
from prism_rec.recommend.items import Items
from prism_rec.recommend.questions import Questions

MODEL, POPULARITY = "model", "popularity"
"""What a recommendation is based on."""


class Answers(NamedTuple):
    """Makes the tables that `Recommender.recommend` returns."""

    ranker: CatalogueRanker
    items: Items
    popular: Callable[[], IntArray]
    """Returns all catalogue rows, those with the most events first; called only if somebody has no known history."""

    def __call__(self, asked: Questions, k: int, seen: Seen, allowed: IntArray | None) -> pl.DataFrame:
        """Return the k best items of each user, users in the given order.

        Args:
            asked: the users.
            k: number of items per user.
            seen: `remove` or `keep` the items of the history.
            allowed: catalogue rows that may be recommended; None: all.
        """
        known = np.flatnonzero(asked.histories.lengths > 0)
        unknown = np.flatnonzero(asked.histories.lengths == 0)
        frames = [self._popular(unknown, k, allowed), *self._by_model(asked, known, k, seen, allowed)]
        frame = pl.concat(frames)
        if len(unknown):
            frame = frame.sort("place", maintain_order=True)
        users = pl.Series("user_id", asked.users, dtype=pl.String).gather(frame["place"])
        names = self.items.named(frame["row"].to_numpy())
        return pl.concat([users.to_frame(), names, frame.drop("place", "row")], how="horizontal")

    def _popular(self, places: IntArray, k: int, allowed: IntArray | None) -> pl.DataFrame:
        best = np.empty(0, np.int64)
        if len(places):
            rows = self.popular()
            best = (rows if allowed is None else rows[np.isin(rows, allowed)])[:k]
        return self._frame(
            np.repeat(places, len(best)),
            np.tile(best, len(places)),
            np.tile(np.arange(1, len(best) + 1), len(places)),
            None,
            np.empty((0, 0)),
        )

    def _by_model(
        self, asked: Questions, known: IntArray, k: int, seen: Seen, allowed: IntArray | None
    ) -> Iterator[pl.DataFrame]:
        ranker, histories = self.ranker, asked.with_items().histories
        for questions, users, scores_BN in ranker.scored(histories):
            if seen == "remove":
                ranker.mask_seen(scores_BN, histories, questions)
            if allowed is not None:
                ranker.keep_only(scores_BN, allowed)
            scores_Bk, rows_Bk = ranker.best(scores_BN, k)
            found = rows_Bk > 0
            user, place = np.nonzero(found)
            rows = torch.from_numpy(rows_Bk).to(ranker.device)
            parts_BkJ = ranker.contributions(users, rows).cpu().numpy()
            yield self._frame(
                known[questions[user]], rows_Bk[found], place + 1, scores_Bk[found], parts_BkJ[found]
            )

    def _frame(
        self, places: IntArray, rows: IntArray, ranks: IntArray, scores: np.ndarray | None, parts: np.ndarray
    ) -> pl.DataFrame:
        """Return one row per user and item; without scores they were ranked by popularity."""

        def numbers(values: np.ndarray | None) -> pl.Series:
            if values is None:
                return pl.repeat(None, len(rows), dtype=pl.Float32, eager=True)
            return pl.Series(values, dtype=pl.Float32)

        basis = POPULARITY if scores is None else MODEL
        columns = {
            "place": places,
            "row": rows.astype(np.int64),
            "score": numbers(scores),
            "rank": pl.Series(ranks, dtype=pl.Int64),
            "basis": pl.repeat(basis, len(rows), dtype=pl.String, eager=True),
        }
        names = self.ranker.component_names
        further = {name: numbers(None if scores is None else parts[:, j]) for j, name in enumerate(names)}
        return pl.DataFrame({**columns, **further})
