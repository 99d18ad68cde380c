"""Recommendations from a finished run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F

from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import Histories
from prism_rec.data.new_items import add_items
from prism_rec.errors import InputError
from prism_rec.model import UserStates
from prism_rec.rank import Ranker
from prism_rec.runs.run import Run


class Recommender:
    """Ranks items for users and says what each component adds to a score.

    Args:
        run: a trained model with its data.
        batch_size: number of users at once.
    """

    def __init__(self, run: Run, batch_size: int = 256) -> None:
        self.run = run
        self.dataset: Dataset = run.dataset
        self.ranker = Ranker(run.model, batch_size)
        self._items = _Ids(run.dataset.items["item_id"], first_row=1, what="item")
        self._users = _Ids(run.dataset.users["user_id"], first_row=0, what="user")

    @property
    def component_names(self) -> tuple[str, ...]:
        """The parts that add up to a score: `id` and the fusion's components."""
        return self.ranker.model.component_names

    def with_items(self, items: Any, features: Mapping[str, Any] | None = None) -> "Recommender":
        """Return a recommender that also ranks items which came after training, and reads them in histories.

        Nothing is trained. The features of a new item count like those of any other item. A new item has no trained id,
        so its `id` term is 0 (with STOSA, the distance to a Gaussian at 0).

        Args:
            items: polars, pandas or Arrow frame with `item_id` and any of the catalogue's columns, such as `title`.
            features: for each modality a pair (matrix [R, d], R item ids) or a frame, made by the encoder of the
                run's data. Any item may lack any modality; items that lack all of them have the same score.

        Raises:
            InputError: the model scores items only by their ids; or see `data.new_items.add_items`.
        """
        if not self.ranker.model.content:
            raise InputError(
                "this model scores items only by their ids, so all new items would have the same score; train with "
                "candidates: content and a fusion other than id"
            )
        dataset = add_items(self.dataset, items, features or {})
        model = self.run.config.model.build(dataset.number_of_items, dataset.features)
        weights = dict(self.ranker.model.state_dict())
        ids, further = weights["items.ids.weight"], dataset.number_of_items - self.dataset.number_of_items
        weights["items.ids.weight"] = F.pad(ids, (0, 0, 0, further))
        weights["items.known_N"] = F.pad(weights["items.known_N"], (0, further))
        model.load_state_dict(weights)
        run = replace(self.run, dataset=dataset, model=model.to(self.ranker.model.device).eval())
        return Recommender(run, self.ranker.batch_size)

    def recommend(
        self,
        histories: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None = None,
        users: Iterable[str] | None = None,
        k: int = 10,
        filter_seen: bool = True,
        candidates: Iterable[str] | None = None,
    ) -> pl.DataFrame:
        """Return the k best items for each history or known user.

        Args:
            histories: lists of item ids, oldest first, by user id; or a list of them, in which case the places from
                0 are the user ids. A user need not be known. Items that the model does not know are left out.
            users: ids of users of the data, with their whole histories.
            k: number of items per user.
            filter_seen: leave out the items of the history.
            candidates: rank only these items; if not given, the whole catalogue.

        Returns:
            A frame `user_id, item_id, score, rank` and one column per component. The component columns add up to the
            score and may be negative. Rows are in the order of the users, best item first; a user has fewer than k
            rows if there are not enough items.

        Raises:
            InputError: neither or both of `histories` and `users`, an unknown user or candidate, or a history
                without any known item.
        """
        if (histories is None) == (users is None):
            raise InputError("give either histories or users")
        if k < 1:
            raise InputError(f"k is {k}; ask for at least one item")
        if users is not None:
            ids = [str(user) for user in users]
            rows = self._users.rows(ids)
            known = self.dataset.histories.prefixes(rows, self.dataset.histories.lengths[rows])
        else:
            assert histories is not None
            ids, known = self._known(histories)
        allowed = None if candidates is None else self._items.rows([str(item) for item in candidates])
        batch = self.ranker.batch_size
        frames = [
            self._recommend(
                ids, known, np.arange(begin, min(begin + batch, len(ids))), k, filter_seen, allowed
            )
            for begin in range(0, len(ids), batch)
        ]
        return pl.concat(frames) if frames else self._frame([], np.empty((0, 0)), np.empty((0, 0)), None)

    def history_of(self, user: str) -> list[str]:
        """Return the item ids of a user of the data, oldest first.

        Raises:
            InputError: the user is unknown.
        """
        (row,) = self._users.rows([user])
        return self._items.ids.gather(self.dataset.histories[row] - 1).to_list()

    def _known(
        self, histories: Mapping[str, Sequence[str]] | Sequence[Sequence[str]]
    ) -> tuple[list[str], Histories]:
        pairs = histories.items() if isinstance(histories, Mapping) else enumerate(histories)
        ids, known = [], []
        for user, items in pairs:
            if isinstance(items, str):
                raise InputError(f"the history of user {user} is one string; give a list of item ids")
            rows = self._items.known_rows([str(item) for item in items])
            if not len(rows):
                raise InputError(
                    f"the history of user {user} has no item that the model knows; leave the user out"
                )
            ids.append(str(user))
            known.append(rows)
        return ids, Histories.from_lists(rows.tolist() for rows in known)

    @torch.no_grad()
    def _recommend(
        self,
        ids: list[str],
        histories: Histories,
        batch: np.ndarray,
        k: int,
        filter_seen: bool,
        allowed: np.ndarray | None,
    ) -> pl.DataFrame:
        ranker = self.ranker
        states = ranker.states(histories, batch)
        scores_BN = ranker.scores(states)
        if filter_seen:
            ranker.mask_seen(scores_BN, histories, batch)
        if allowed is not None:
            ranker.keep_only(scores_BN, allowed)
        scores_Bk, rows_Bk = ranker.best(scores_BN, min(k, self.dataset.number_of_items))
        return self._frame([ids[question] for question in batch], scores_Bk, rows_Bk, states)

    def _frame(
        self, ids: list[str], scores_Bk: np.ndarray, rows_Bk: np.ndarray, states: UserStates | None
    ) -> pl.DataFrame:
        ranker, found = self.ranker, rows_Bk > 0
        user, place = np.nonzero(found)
        frame = pl.DataFrame(
            {
                "user_id": pl.Series([ids[u] for u in user], dtype=pl.String),
                "item_id": self._items.ids.gather(rows_Bk[found].astype(np.int64) - 1),
                "score": pl.Series(scores_Bk[found], dtype=pl.Float32),
                "rank": pl.Series(place + 1, dtype=pl.Int64),
            }
        )
        parts = np.empty((0, len(self.component_names)), np.float32)
        if states is not None:
            rows = torch.from_numpy(rows_Bk).to(ranker.model.device)
            parts = ranker.model.contributions(states, rows, ranker.items).cpu().numpy()[found]
        return frame.with_columns(
            pl.Series(name, parts[:, j], dtype=pl.Float32) for j, name in enumerate(self.component_names)
        )


class _Ids:
    """External ids and their rows."""

    def __init__(self, ids: pl.Series, first_row: int, what: str) -> None:
        self.ids = ids
        self.what = what
        self.row_of = {text: row for row, text in enumerate(ids, start=first_row)}

    def rows(self, wanted: Sequence[str]) -> np.ndarray:
        """Return the rows; an unknown id is an error."""
        for text in wanted:
            if text not in self.row_of:
                raise InputError(f"{self.what} {text!r} is unknown to the model; check its id")
        return np.array([self.row_of[text] for text in wanted], np.int64)

    def known_rows(self, wanted: Sequence[str]) -> np.ndarray:
        """Return the rows of the ids that are known."""
        return np.array([self.row_of[text] for text in wanted if text in self.row_of], np.int64)


def load(folder: Path | str, device: str = "auto") -> Recommender:
    """Load a finished run to recommend; nothing but its folder is needed.

    Args:
        folder: that `train` wrote.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.

    Raises:
        FolderError: the folder is not a finished run, or is damaged.
    """
    return Recommender(Run.load(folder, device))
