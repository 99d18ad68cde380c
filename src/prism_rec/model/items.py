"""The catalogue as a model holds it: a learned vector per id, and the features, frozen or words."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from prism_rec.data.bag import Bag, Table
from prism_rec.fusion.reading import Features, ModalityShape, Words
from prism_rec.nn.sparse import ByColumn, SparseRows
from prism_rec.nn.word_bag import WordBag


class LookedUp(NamedTuple):
    """The state of two tables of the catalogue when they were last read."""

    tables: tuple[Tensor, ...]
    versions: list[int]
    """How often each had been written to."""
    some_without_id: bool


class ItemTable(nn.Module):
    """Rows 1..N are items; row 0 is padding and stays zero.

    Features are buffers that are neither trained nor written to a checkpoint: they belong to the catalogue, not to the
    learned weights. Each word of a bag has a trainable vector here, so that fusions get vectors of every modality.

    Args:
        number_of_items: N.
        width: D.
        features: for each modality a table with N + 1 rows.
        streams: number of vectors of D per id, as the backbone requires.
        word_dropout: probability that a word of an item is left out in a training step.
        id_dropout: probability that the id vector of an item is zero in a training step.
        id_events: an item needs this number of training events for its id to count; see `note_events`.
    """

    present_NM: Tensor
    content_N: Tensor
    known_N: Tensor
    unknown_id: Tensor

    def __init__(
        self,
        number_of_items: int,
        width: int,
        features: Mapping[str, Table],
        streams: int = 1,
        word_dropout: float = 0.0,
        id_dropout: float = 0.0,
        id_events: int = 1,
    ) -> None:
        super().__init__()
        self.number_of_items = number_of_items
        self.width = width
        self.id_dropout = id_dropout
        self.id_events = id_events
        self.modalities = {
            name: ModalityShape(table.width, words=isinstance(table, Bag)) for name, table in features.items()
        }
        self.ids = nn.Embedding(number_of_items + 1, streams * width, padding_idx=0)
        self.bags = nn.ModuleDict()
        for m, (name, table) in enumerate(features.items()):
            if isinstance(table, Bag):
                self.bags[name] = WordBag(table.width, width, dropout=word_dropout)
            for key, tensor in _tensors(table).items():
                self.register_buffer(f"{key}_{m}", tensor, persistent=False)
        columns = [torch.from_numpy(table.present) for table in features.values()]
        present_NM = (
            torch.stack(columns, 1) if columns else torch.zeros(number_of_items + 1, 0, dtype=torch.bool)
        )
        self.register_buffer("present_NM", present_NM, persistent=False)
        self.register_buffer("content_N", present_NM.any(1), persistent=False)
        self._looked_up: LookedUp | None = None
        self.register_buffer("known_N", torch.ones(number_of_items + 1, dtype=torch.bool))
        # The id term of a candidate without an id that counts; see `rank.unknown_ids`.
        self.register_buffer("unknown_id", torch.zeros(()))

    def note_events(self, events_N: Int[Tensor, " N"]) -> None:
        """Note for which items the id is known: those with at least `id_events` training events.

        The id of another item is trained as a negative only, so that it says nothing about the item.
        """
        self.known_N.copy_(events_N >= self.id_events)

    def id_vectors(self, rows_I: Int[Tensor, " I"], scored_by_content: bool) -> Float[Tensor, "I V"]:
        """Return the id vectors of some distinct items.

        Args:
            rows_I: catalogue rows.
            scored_by_content: whether candidates are scored by content too. If so, an id that is not known is zero
                outside training, unless the item has no content either; and `id_dropout` holds in training.
        """
        # All rows without gradients are the table itself: a copy of it would be the largest tensor of ranking.
        whole = len(rows_I) == self.number_of_items + 1 and not torch.is_grad_enabled()
        ids_IV = self.ids.weight if whole else self.ids(rows_I)
        if not scored_by_content:
            return ids_IV
        if not self.training:
            return ids_IV * ~self.without_id(rows_I)[:, None]
        if self.id_dropout:
            return ids_IV * (torch.rand(len(rows_I), 1, device=ids_IV.device) >= self.id_dropout)
        return ids_IV

    def without_id(self, rows_I: Int[Tensor, "*I"]) -> Bool[Tensor, "*I"]:
        """Return which items have content and no id that counts, if candidates are scored by content."""
        return ~self.known_N[rows_I] & self.content_N[rows_I]

    @property
    def some_without_id(self) -> bool:
        """Whether `without_id` is true for any item; looked up again only if the tables were written to."""
        tables = self.known_N, self.content_N
        versions = [table._version for table in tables]
        last = self._looked_up
        if (
            last is None
            or last.versions != versions
            or any(a is not b for a, b in zip(last.tables, tables, strict=True))
        ):
            last = self._looked_up = LookedUp(tables, versions, bool((~self.known_N & self.content_N).any()))
        return last.some_without_id

    def features(self, rows_I: Int[Tensor, " I"]) -> Features:
        """Return the features of some distinct items, in rising order of their rows."""
        whole = len(rows_I) == self.number_of_items + 1  # all rows, each once: no copy
        rows = None if whole else rows_I
        words = tuple(self._words(m, name, rows) for m, name in enumerate(self.modalities))
        vectors = tuple(self._vectors(m, name, rows, words[m]) for m, name in enumerate(self.modalities))
        return Features(vectors, self.present_NM if whole else self.present_NM[rows_I], words)

    def _words(self, m: int, name: str, rows_I: Int[Tensor, " I"] | None) -> Words | None:
        """Return the words of the m-th modality of some items, if it is words; None for `rows_I`: of all."""
        if name not in self.bags:
            return None
        rows = SparseRows(*(self.get_buffer(f"{key}_{m}") for key in SparseRows._fields))
        vectors_UD = self.bags[name].get_parameter("weight_UD")
        return Words(rows if rows_I is None else rows.take(rows_I), vectors_UD)

    def _vectors(
        self, m: int, name: str, rows_I: Int[Tensor, " I"] | None, words: Words | None
    ) -> Float[Tensor, "I _"]:
        """Return the vectors of the m-th modality of some items; None for `rows_I`: of all."""
        if words is None:
            table = self.get_buffer(f"vectors_{m}")
            return table if rows_I is None else table.index_select(0, rows_I)
        if rows_I is not None:
            return self.bags[name](words.rows)
        by_column = ByColumn(*(self.get_buffer(f"{key}_{m}") for key in ByColumn._fields))
        return self.bags[name](words.rows, by_column)


def _tensors(table: Table) -> dict[str, Tensor]:
    """Return the tensors of a table by name."""
    if not isinstance(table, Bag):
        return {"vectors": torch.from_numpy(table.vectors)}
    offsets, columns = (
        torch.from_numpy(part.astype(np.int64)) for part in (table.vectors.indptr[:-1], table.vectors.indices)
    )
    rows = SparseRows(offsets, columns, torch.from_numpy(table.vectors.data))
    return {**rows._asdict(), **ByColumn.of(rows, table.width)._asdict()}
