"""The catalogue as a model holds it: a learned vector for each id, and the frozen features."""

from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from prism_rec.fusion.base import Features
from prism_rec.nn.word_bag import ByColumn, SparseRows, WordBag


class ItemTable(nn.Module):
    """Rows 1..N are items; row 0 is padding and stays zero.

    Features are buffers that are neither trained nor written into a checkpoint: they belong to the catalogue, not
    to what was learned. The rows of a bag of words meet a trainable vector for each word here, so that fusions see
    dense vectors of every modality.

    Args:
        number_of_items: N.
        width: D.
        features: modality -> vectors [N + 1, d], or a bag's rows; a row of zeros if the item lacks the modality.
        present: modality -> presence [N + 1].
        streams: how many vectors of D an id is made of; what the backbone asks for.
        bags: modality -> its words' vectors, for each modality given as rows of a bag.
        id_dropout: probability that an item's id vector is zero in a step of training.
    """

    present_NM: Tensor
    known_N: Tensor

    def __init__(
        self,
        number_of_items: int,
        width: int,
        features: Mapping[str, Float[Tensor, "N _"] | SparseRows],
        present: Mapping[str, Bool[Tensor, " N"]],
        streams: int = 1,
        bags: Mapping[str, WordBag] | None = None,
        id_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.number_of_items = number_of_items
        self.width = width
        self.bags = nn.ModuleDict(bags or {})
        self.modalities = {
            name: None if isinstance(vectors, SparseRows) else vectors.shape[1]
            for name, vectors in features.items()
        }
        self.ids = nn.Embedding(number_of_items + 1, streams * width, padding_idx=0)
        for m, (name, vectors) in enumerate(features.items()):
            if not isinstance(vectors, SparseRows):
                self.register_buffer(f"vectors_{m}", vectors, persistent=False)
                continue
            words = cast(WordBag, self.bags[name]).weight_VD.shape[0]
            tensors = vectors._asdict() | ByColumn.of(vectors, words)._asdict()
            for part, tensor in tensors.items():
                self.register_buffer(f"{part}_{m}", tensor, persistent=False)
        columns = [present[name] for name in features]
        presence = (
            torch.stack(columns, 1) if columns else torch.zeros(number_of_items + 1, 0, dtype=torch.bool)
        )
        self.register_buffer("present_NM", presence, persistent=False)
        self.id_dropout = id_dropout
        self.register_buffer("known_N", torch.ones(number_of_items + 1, dtype=torch.bool))

    def note_events(self, items: Int[Tensor, "..."], at_least: int) -> None:
        """Note of which items the ids are known: those that occur often enough in training.

        The id of another item is trained as a negative only, and says nothing of it.
        """
        events_N = items.flatten().bincount(minlength=self.number_of_items + 1)
        self.known_N.copy_(events_N >= at_least)

    def id_vectors(self, rows_I: Int[Tensor, " I"], described: bool) -> Float[Tensor, "I V"]:
        """Return the id vectors of some distinct items.

        Args:
            rows_I: catalogue rows.
            described: whether content describes an item beside its id. Then the id of an item that is not known is zero
                outside training.
        """
        ids_IV = self.ids(rows_I)
        if described and not self.training:
            return ids_IV * self.known_N[rows_I, None]
        if described and self.id_dropout:
            return ids_IV * (torch.rand(len(rows_I), 1, device=ids_IV.device) >= self.id_dropout)
        return ids_IV

    def features(self, rows_I: Int[Tensor, " I"]) -> Features:
        """Return the features of some distinct items, rows rising."""
        all_of_them = len(rows_I) == self.number_of_items + 1  # and each once: no copy
        rows = None if all_of_them else rows_I
        vectors = [self._vectors(m, name, rows) for m, name in enumerate(self.modalities)]
        return Features(tuple(vectors), self.present_NM if rows is None else self.present_NM[rows])

    def _vectors(self, m: int, name: str, rows_I: Int[Tensor, " I"] | None) -> Float[Tensor, "I _"]:
        """Return the vectors of one modality of some items; None: of all."""
        if name not in self.bags:
            table = self.get_buffer(f"vectors_{m}")
            return table if rows_I is None else table[rows_I]
        rows = SparseRows(*(self.get_buffer(f"{part}_{m}") for part in SparseRows._fields))
        if rows_I is not None:
            return self.bags[name](rows.take(rows_I))
        return self.bags[name](rows, ByColumn(*(self.get_buffer(f"{part}_{m}") for part in ByColumn._fields)))
