"""Recommendations from a finished run."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import IntArray
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.explain.explanation import Explanation, explain
from prism_rec.inputs import checked, id_from, ids_from
from prism_rec.rank import CatalogueRanker, FindsItems, Seen, Tables
from prism_rec.recommend.answers import Answers
from prism_rec.recommend.everybody import FILE, Everybody
from prism_rec.recommend.ids import Ids
from prism_rec.recommend.items import Choice, Items
from prism_rec.recommend.new_items import (
    NewContents,
    extend,
    new_items_frame,
    require_content,
    say_contents,
    without_known,
)
from prism_rec.recommend.questions import HistoriesGiven, Questions, of_histories, of_users, require_k
from prism_rec.recommend.saving import save
from prism_rec.recommend.vectors import (
    average_vectors,
    key_vectors,
    most_similar,
    query_vectors,
    vector_frame,
)
from prism_rec.runs.ensemble import Ensemble
from prism_rec.runs.load import load_run
from prism_rec.runs.run import Run


class Recommender:
    """Ranks items for users, and says what a score is made of and what it depends on.

    Args:
        run: a trained model with its data, or an ensemble of such.
        batch_size: number of users that are encoded at once; if not given, as in validation.
        tables: of the catalogue, one per model, computed before; if not given, they are computed.
    """

    @checked
    def __init__(
        self, run: Run | Ensemble, batch_size: int | None = None, tables: Sequence[Tables] = ()
    ) -> None:
        self._batch_size = None if batch_size is None else int(batch_size)  # numpy's numbers too
        self._use(run, tables)

    def _use(self, run: Run | Ensemble, tables: Sequence[Tables] = ()) -> None:
        self.run: Run | Ensemble = run
        self.dataset: Dataset = run.dataset
        self.ranker: CatalogueRanker = run.ranker(self._batch_size, tables)
        self.index: FindsItems | None = None  # ranks for `recommend` in place of the ranker
        self._items = Items(run.dataset.items, partial(self.dataset.why_absent, "item"))
        self._users = Ids(run.dataset.users["user_id"], 0, "user", partial(self.dataset.why_absent, "user"))

    @property
    def component_names(self) -> tuple[str, ...]:
        """The parts that add up to a score: `id` and the fusion's components."""
        return self.ranker.component_names

    @property
    def average_weights(self) -> dict[str, float]:
        """The gate's mean weights over at most 1,000 users of the data; all 1 if no gate depends on the user."""
        return self._everybody.weights

    @checked
    def recommend(
        self,
        histories: HistoriesGiven | None = None,
        users: Iterable[str] | None = None,
        k: int = 10,
        *,
        seen: Seen | None = None,
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
            seen: `remove` or `keep` the items of the history; if not given, as the run was evaluated.
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
        question = self._question(histories, users, k, seen, Choice(candidates, exclude, where), events)
        return self._answers.frame(*question)

    def recommend_lists(
        self,
        histories: HistoriesGiven | None = None,
        users: Iterable[str] | None = None,
        k: int = 10,
        *,
        seen: Seen | None = None,
        candidates: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        events: Events = Events(),
    ) -> list[list[dict[str, Any]]]:
        """Return what `recommend` does, as plain values: for each history or user a list of items, best first.

        Each item is `item_id`, `title`, `score` and `contributions` by component. If a list is by popularity, scores
        are None and contributions are empty. For a few users, this takes 21 to 36 % less time than a frame.
        """
        question = self._question(histories, users, k, seen, Choice(candidates, exclude, where), events)
        return self._answers.lists(*question)

    def _question(
        self,
        histories: HistoriesGiven | None,
        users: Iterable[str] | None,
        k: int,
        seen: Seen | None,
        choice: Choice,
        events: Events,
    ) -> tuple[Questions, int, Seen, IntArray | None]:
        if (histories is None) == (users is None):
            raise InputError("give either histories or users")
        require_k(k)
        if users is not None:
            asked = of_users(users, self._users, self.dataset.histories, events)
        else:
            assert histories is not None
            asked = of_histories(histories, self._items, events)
        allowed = self._items.allowed(choice, events)
        return asked, min(k, self.dataset.number_of_items), seen or self.ranker.seen, allowed

    @property
    def _answers(self) -> Answers:
        return Answers(self.ranker, self.index or self.ranker, self._items, lambda: self._popular)

    @checked
    def explain(self, history: Iterable[str], item: str | int) -> Explanation:
        """Say what the score of an item is made of, and what of the history it depends on.

        Args:
            history: item ids, oldest first; items that the model does not know are left out. For a user of the data,
                give `history_of(user)`.
            item: the item that is scored; any of the catalogue.

        Raises:
            InputError: the item is unknown, or no item of the history is known.
        """
        (row,) = self._items.rows([id_from(item, "item")])
        rows = self._items.known_rows(ids_from(history, "history"))
        if not len(rows):
            raise InputError("no item of the history is known to the model: there is no score to explain")
        return explain(self.ranker, rows, int(row), self._items.name, self.average_weights)

    @checked
    def similar_items(
        self,
        item: str | int,
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
            candidates: as in `recommend`; so are `exclude`, `where` and `events`.
            exclude: see there.
            where: see there.
            events: see there.

        Returns:
            A frame `item_id, title, similarity, rank`, most similar first.

        Raises:
            InputError: the item is unknown; or see `recommend`.
        """
        require_k(k)
        (row,) = self._items.rows([id_from(item, "item")])
        allowed = self._items.allowed(Choice(candidates, exclude, where), events)
        similarity, rows = most_similar(self.ranker, self._average_ND, int(row), k, allowed)
        frame = pl.DataFrame({"similarity": similarity, "rank": np.arange(1, len(rows) + 1)})
        return pl.concat([self._items.named(rows), frame], how="horizontal")

    def item_vectors(self) -> pl.DataFrame:
        """Return `item_id` and `vector` of all items; see `user_vectors`."""
        return vector_frame("item_id", self._items.ids, key_vectors(self.ranker))

    @checked
    def user_vectors(
        self,
        histories: HistoriesGiven | None = None,
        users: Iterable[str] | None = None,
        events: Events = Events(),
    ) -> pl.DataFrame:
        """Return `user_id` and `vector` of histories or users; by default of all users of the data.

        The inner product of a user's and an item's vector is the score. So any index for inner products can serve it.
        The term `similar`, if the model has it, is not in it.

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
        return vector_frame("user_id", ids, query_vectors(self.ranker, known.histories))

    @checked
    def history_of(self, user: str | int) -> list[str]:
        """Return the item ids of a user of the data, oldest first.

        Raises:
            InputError: the user is unknown.
        """
        (row,) = self._users.rows([id_from(user, "user")])
        return self._items.at(self.dataset.histories[row]).to_list()

    def unknown_items(self, items: Iterable[str]) -> list[str]:
        """Return those of some item ids that the model does not know, in the given order."""
        return self._items.unknown(ids_from(items, "items"))

    def unknown_users(self, users: Iterable[str]) -> list[str]:
        """Return those of some user ids that the data does not have, in the given order."""
        return self._users.unknown(ids_from(users, "users"))

    @checked
    def title_of(self, item: str | int) -> str | None:
        """Return the title of a known item; None if it has none."""
        (row,) = self._items.rows([id_from(item, "item")])
        return self._items.name(int(row))[1]

    @checked
    def add_items(
        self,
        items: Any,
        features: Mapping[str, Any] | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        pictures: Path | str | None = None,
        encode: bool = True,
        skip_known: bool = False,
        events: Events = Events(),
    ) -> "Recommender":
        """Rank items that came after training too, and read them in histories.

        Nothing is trained. A new item has no trained id: its `id` term is the usual one of recommended items, the same
        for all (with STOSA, the distance to a Gaussian at 0). If the vectors of the run's data came from folders of the
        stage embed, texts and pictures of the new items are encoded here in the same way.

        Args:
            items: polars, pandas or Arrow frame with a column of ids and any of the catalogue's columns, such as
                `title`.
            features: as in `Dataset.from_frame`, made by the encoder of the run's data. Any item may lack any
                modality; items that lack all of them have the same score.
            columns: `item`, the name of the column of ids in frames; by default `item_id`.
            pictures: a folder of the stage images, or of files named ITEM_ID.jpg; pictures of other items are ignored,
                but one at least must be of an item.
            encode: encode the texts of `items`, and `pictures`, unless their modality is in `features`.
            skip_known: skip items that are in the catalogue already, unchanged, instead of refusing them.
            events: hears how many items have which contents, and a note if items are skipped or cannot be encoded.

        Returns:
            This recommender. A shallow copy that was made before does not get the items.

        Raises:
            InputError: the model scores items only by their ids, no picture is of an item, or see
                `data.new_items.add_items`.
        """
        require_content(self.ranker)
        frame, given = new_items_frame(items, columns or {}), dict(features or {})
        frame = without_known(frame, self._items.ids, events) if skip_known else frame
        if frame.is_empty():
            return self
        if encode:
            folder = None if pictures is None else Path(pictures)
            given = self._contents.features(frame, folder, given, events, self._items.row_of) | given
        everybody = self._everybody  # of those who trained the model; before the new items come
        self._use(extend(self.run, frame, given, columns or {}))
        events.note(say_contents(self.dataset, len(frame)))
        for name in ("_average_ND", "_popular"):  # what depends on the catalogue
            self.__dict__.pop(name, None)
        self.__dict__["_everybody"] = everybody
        return self

    @checked
    def save(self, folder: Path | str, histories: bool = True, *, replace: bool = False) -> None:
        """Write a run folder that `load` reads, with items that were added.

        Args:
            folder: new or empty.
            histories: write the users and their histories too. Without them, only histories can be asked for, and
                popularity and average weights are kept as figures: the folder has no personal data.
            replace: the folder may have a run, which is replaced.

        Raises:
            FolderError: the folder has something in it that may not be replaced.
        """
        save(self.run, Path(folder), self._everybody, histories, replace)

    def names(self) -> dict[str, list[Any] | None]:
        """Return the item ids in the order of the catalogue, and the titles, or None if it has none."""
        titles = self._items.titles
        return {"item_id": self._items.ids.to_list(), "title": None if titles is None else titles.to_list()}

    def by_popularity(self) -> IntArray:
        """Return all catalogue rows, those with the most events first."""
        return self._popular

    @cached_property
    def _everybody(self) -> Everybody:
        folder = self.run.folder.path
        if (folder / FILE).exists():
            return Everybody.load(folder)
        return Everybody.of(self.ranker, self.dataset.histories)

    @cached_property
    def _popular(self) -> IntArray:
        return self._everybody.by_popularity(self.dataset.number_of_items)

    @cached_property
    def _contents(self) -> NewContents:
        return NewContents(self.dataset.encoders)

    @cached_property
    def _average_ND(self) -> torch.Tensor:  # noqa: N802 (axis letters)
        return average_vectors(self.ranker, self.average_weights)


@checked
def load(folder: Path | str, device: str = "auto") -> Recommender:
    """Load a finished run to recommend; nothing but its folder is needed.

    Args:
        folder: that `train` or `ensemble` wrote.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.

    Raises:
        FolderError: the folder is not a finished run, or is damaged.
    """
    return Recommender(load_run(folder, device))
