"""Recommendations from a finished run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch
import torch.nn.functional as F

from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import IntArray
from prism_rec.data.new_items import add_items
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.explain.explanation import Explanation, explain
from prism_rec.explain.gate_weights import mean_weights
from prism_rec.rank import PopularityRanker, Ranker
from prism_rec.recommend.answers import Answers
from prism_rec.recommend.ids import Ids, texts
from prism_rec.recommend.items import Choice, Items
from prism_rec.recommend.questions import HistoriesGiven, of_histories, of_users
from prism_rec.recommend.vectors import average_vectors, key_vectors, query_vectors
from prism_rec.runs.run import Run


class Recommender:
    """Ranks items for users, and says what a score is made of and what it depends on.

    Args:
        run: a trained model with its data.
        batch_size: number of users that are encoded at once; if not given, that of `Ranker`.
    """

    def __init__(self, run: Run, batch_size: int | None = None) -> None:
        self._batch_size = batch_size
        self._use(run)

    def _use(self, run: Run) -> None:
        self.run = run
        self.dataset: Dataset = run.dataset
        self.ranker = Ranker(run.model) if self._batch_size is None else Ranker(run.model, self._batch_size)
        self._items = Items(run.dataset.items)
        self._users = Ids(run.dataset.users["user_id"], first_row=0, what="user")

    @property
    def component_names(self) -> tuple[str, ...]:
        """The parts that add up to a score: `id` and the fusion's components."""
        return self.ranker.model.component_names

    @cached_property
    def average_weights(self) -> dict[str, float]:
        """The mean weight of each component that the gate gives to at most 1,000 users of the data, evenly chosen.

        Every weight is 1 if the model has no gate that depends on the user, or the data has no users.
        """
        return mean_weights(self.ranker, self.dataset.histories)

    def recommend(
        self,
        histories: HistoriesGiven | None = None,
        users: Iterable[str] | None = None,
        k: int = 10,
        *,
        filter_seen: bool = True,
        candidates: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        events: Events = Events(),
    ) -> pl.DataFrame:
        """Return the k best items for each history or user.

        Users who are unknown, and histories without any known item, get the most popular items: no user makes a
        request fail.

        Args:
            histories: lists of item ids, oldest first, by user id; or a list of them, in which case the places from
                0 are the user ids. A user need not be known. Items that the model does not know are left out.
            users: ids of users of the data, with their whole histories.
            k: number of items per user.
            filter_seen: leave out the items of the history.
            candidates: rank only these items; if not given, the whole catalogue. Unknown ones are skipped.
            exclude: leave out these items, such as those out of stock. Unknown ones are skipped.
            where: conditions on columns of the catalogue, such as `{"category": ["Books", "Films"], "price": {"max":
                20}}`; see `recommend.filters.matching`.
            events: hears a note for each kind of id that is unknown.

        Returns:
            A frame `user_id, item_id, title, score, rank, basis` and one column per component. `title` is left out if
            the catalogue has none. The component columns add up to the score and may be negative. `basis` is `model`;
            or `popularity`, and then score and components are missing. Rows are in the order of the users, best item
            first; a user has fewer than k rows if there are not enough items.

        Raises:
            InputError: neither or both of `histories` and `users`, a wrong `k` or `where`, or candidates of which none
                is known.
        """
        if (histories is None) == (users is None):
            raise InputError("give either histories or users")
        if k < 1:
            raise InputError(f"k is {k}; ask for at least one item")
        if users is not None:
            asked = of_users(users, self._users, self.dataset.histories, events)
        else:
            assert histories is not None
            asked = of_histories(histories, self._items, events)
        allowed = self._items.allowed(Choice(candidates, exclude, where), events)
        answers = Answers(self.ranker, self._items, self._popular)
        return answers(asked, min(k, self.dataset.number_of_items), filter_seen, allowed)

    def explain(self, history: Sequence[str], item: str) -> Explanation:
        """Say what the score of an item is made of, and what of the history it depends on.

        Args:
            history: item ids, oldest first; items that the model does not know are left out. For a user of the data,
                give `history_of(user)`.
            item: the item that is scored; any of the catalogue.

        Raises:
            InputError: the item is unknown, or no item of the history is known.
        """
        (row,) = self._items.rows([str(item)])
        rows = self._items.known_rows(texts(history, "history"))
        if not len(rows):
            raise InputError("no item of the history is known to the model, so there is no score to explain")
        return explain(self.ranker, rows, int(row), self._items.name, self.average_weights)

    def similar_items(
        self,
        item: str,
        k: int = 10,
        *,
        candidates: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        events: Events = Events(),
    ) -> pl.DataFrame:
        """Return the k items that the model reads most like an item in a history.

        Similarity is the cosine of id + components, with the average user's weights (`average_weights`).

        Args:
            item: any item of the catalogue; it is left out itself.
            k: number of items.
            candidates: compare only with these items; see `recommend`.
            exclude: leave out these items.
            where: conditions on columns of the catalogue; see `recommend`.
            events: hears a note for each kind of id that is unknown.

        Returns:
            A frame `item_id, title, similarity, rank`, most similar first.

        Raises:
            InputError: the item is unknown; or see `recommend`.
        """
        if k < 1:
            raise InputError(f"k is {k}; ask for at least one item")
        (row,) = self._items.rows([str(item)])
        allowed = self._items.allowed(Choice(candidates, exclude, where), events)
        similarity_BN = (self._average_ND @ self._average_ND[row - 1])[None].clone()
        scores_BN = F.pad(similarity_BN, (1, 0), value=-torch.inf)
        scores_BN[0, int(row)] = -torch.inf
        if allowed is not None:
            self.ranker.keep_only(scores_BN, allowed)
        values_Bk, rows_Bk = self.ranker.best(scores_BN, min(k, self.dataset.number_of_items))
        found = rows_Bk[0] > 0
        frame = pl.DataFrame({"similarity": values_Bk[0][found]}, schema={"similarity": pl.Float32})
        return (
            self._items.named(rows_Bk[0][found]).hstack(frame).with_columns(rank=1 + pl.int_range(pl.len()))
        )

    def item_vectors(self) -> pl.DataFrame:
        """Return `item_id` and `vector` of every item; see `user_vectors`."""
        return _vectors("item_id", self._items.ids, key_vectors(self.ranker))

    def user_vectors(
        self,
        histories: HistoriesGiven | None = None,
        users: Iterable[str] | None = None,
        events: Events = Events(),
    ) -> pl.DataFrame:
        """Return `user_id` and `vector` of histories or users; by default of all users of the data.

        The inner product of a user's and an item's vector is the score. So any index for inner products can serve it.

        Args:
            histories: see `recommend`. Histories without any known item are left out.
            users: ids of users of the data; unknown ones are left out.
            events: hears a note for each kind of id that is unknown.
        """
        if histories is not None:
            asked = of_histories(histories, self._items, events)
        else:
            given = self._users.ids if users is None else users
            asked = of_users(given, self._users, self.dataset.histories, events)
        known = asked.with_items()
        ids = pl.Series(known.users, dtype=pl.String)
        return _vectors("user_id", ids, query_vectors(self.ranker, known.histories))

    def history_of(self, user: str) -> list[str]:
        """Return the item ids of a user of the data, oldest first.

        Raises:
            InputError: the user is unknown.
        """
        (row,) = self._users.rows([user])
        return self._items.at(self.dataset.histories[row]).to_list()

    def unknown_items(self, items: Iterable[str]) -> list[str]:
        """Return those of some item ids that the model does not know, in the given order."""
        return self._items.unknown(texts(items, "items"))

    def title_of(self, item: str) -> str | None:
        """Return the title of an item; None if it has none.

        Raises:
            InputError: the item is unknown.
        """
        (row,) = self._items.rows([str(item)])
        return self._items.name(int(row))[1]

    def add_items(self, items: Any, features: Mapping[str, Any] | None = None) -> "Recommender":
        """Rank items that came after training too, and read them in histories.

        Nothing is trained. The features of a new item count like those of any other item. A new item has no trained id,
        so its `id` term is 0 (with STOSA, the distance to a Gaussian at 0).

        Args:
            items: polars, pandas or Arrow frame with `item_id` and any of the catalogue's columns, such as `title`.
            features: for each modality a pair (matrix [R, d], R item ids) or a frame, made by the encoder of the
                run's data. Any item may lack any modality; items that lack all of them have the same score.

        Returns:
            This recommender. A shallow copy that was made before does not get the items.

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
        ids = weights["items.ids.weight"]
        weights["items.ids.weight"] = F.pad(ids, (0, 0, 0, dataset.number_of_items + 1 - len(ids)))
        model.load_state_dict(weights)
        self._use(replace(self.run, dataset=dataset, model=model.to(self.ranker.model.device).eval()))
        for name in ("_popular", "_average_ND"):  # what depends on the catalogue
            self.__dict__.pop(name, None)
        return self

    @cached_property
    def _popular(self) -> IntArray:
        """All catalogue rows, those with the most events first."""
        return PopularityRanker(self.dataset.histories, self.dataset.number_of_items).order_N

    @cached_property
    def _average_ND(self) -> torch.Tensor:  # noqa: N802 (axis letters)
        weights = torch.tensor(list(self.average_weights.values()), device=self.ranker.model.device)
        with torch.no_grad():
            return average_vectors(self.ranker, weights)


def _vectors(name: str, ids: pl.Series, vectors: torch.Tensor) -> pl.DataFrame:
    return pl.DataFrame({name: ids, "vector": vectors.cpu().numpy()})


def load(folder: Path | str, device: str = "auto") -> Recommender:
    """Load a finished run to recommend; nothing but its folder is needed.

    Args:
        folder: that `train` wrote.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.

    Raises:
        FolderError: the folder is not a finished run, or is damaged.
    """
    return Recommender(Run.load(folder, device))
