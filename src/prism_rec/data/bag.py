"""A modality made of words: a weight for each word of a vocabulary, most of them zero."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field
from scipy import sparse

from prism_rec.config import Config
from prism_rec.data.histories import IntArray
from prism_rec.errors import InputError
from prism_rec.folders import write_text_atomically


class Bag(Config):
    """How the words of an item become a sparse vector.

    Text is put into lower case and cut into runs of letters and digits. Each value of a list column, such as a path of
    categories, counts as one word. A word counts once per time that it occurs in an item, multiplied by its idf,
    ln((1 + items) / (1 + items with the word)) + 1; then the item's vector is divided by its length.

    `columns` are columns of the items; their words go into one vocabulary. `min_items` leaves out words of fewer items:
    a word of one item says no more than the item's id.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    min_items: int = Field(2, ge=1)


@dataclass(frozen=True, eq=False)
class BagTable:
    """The words of each item of a catalogue, row = catalogue row, and what makes the same of a new item.

    Attributes:
        bag: the settings.
        terms: the V words, in alphabetical order.
        idf: float64 [V], the weight of each word.
        vectors: float32 [N + 1, V]; a row has length 1, or 0 if the item has no word of the vocabulary.
    """

    bag: Bag
    terms: tuple[str, ...]
    idf: npt.NDArray[np.float64]
    vectors: sparse.csr_array

    @classmethod
    def fit(cls, name: str, items: pl.DataFrame, bag: Bag) -> BagTable:
        """Find the vocabulary of a catalogue and weigh the words of its items.

        Args:
            name: the modality's name, for messages.
            items: a row per item, in catalogue order.
            bag: the settings.

        Raises:
            InputError: a column that the items do not have or that holds no words, or no word in enough items.
        """
        missing = [column for column in bag.columns if column not in items.columns]
        if missing:
            have = ", ".join(items.columns)
            raise InputError(f"bag {name!r}: the items have no column {missing[0]!r} (they have: {have})")
        words = _words(name, items, bag.columns)
        found = words.group_by("term").agg(pl.col("item").n_unique()).filter(pl.col("item") >= bag.min_items)
        if found.is_empty():
            raise InputError(
                f"bag {name!r}: no word occurs in {bag.min_items} items; name other columns or lower `min_items`"
            )
        found = found.sort("term")
        idf = np.log((1 + len(items)) / (1 + found["item"].to_numpy())) + 1
        terms = tuple(found["term"])
        return cls(bag, terms, idf, _weigh(words, len(items), terms, idf))

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Bool [N + 1]; false for padding and for every item without a word of the vocabulary."""
        return np.diff(self.vectors.indptr) > 0

    @property
    def width(self) -> int:
        """Number V of words."""
        return len(self.terms)

    @property
    def coverage(self) -> float:
        """Share of the catalogue's items that have a word, 0 to 1."""
        return float(self.present[1:].mean())

    def take(self, rows: slice | IntArray) -> BagTable:
        """Return the table with some of its rows, in the order given."""
        return replace(self, vectors=self.vectors[rows])

    def extend(self, name: str, items: pl.DataFrame) -> BagTable:
        """Return the table with rows for new items behind the others; words that it does not know are left out.

        A column that the new items lack has no words.
        """
        words = _words(name, items, [column for column in self.bag.columns if column in items.columns])
        new = _weigh(words, len(items), self.terms, self.idf)[1:]
        return replace(self, vectors=sparse.vstack([self.vectors, new], format="csr"))

    @staticmethod
    def files(name: str) -> tuple[str, str]:
        """Return where a dataset's folder has the rows and the vocabulary of a modality."""
        return f"features/{name}.npz", f"features/{name}.vocabulary.json"

    def save(self, folder: Path, name: str) -> None:
        """Write the table into a dataset's folder."""
        rows, vocabulary = (folder / file for file in self.files(name))
        rows.parent.mkdir(exist_ok=True)
        sparse.save_npz(rows, self.vectors)
        facts = {"bag": self.bag.model_dump(mode="json"), "terms": self.terms, "idf": self.idf.tolist()}
        write_text_atomically(vocabulary, json.dumps(facts, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path, name: str) -> BagTable:
        """Read the table from a dataset's folder."""
        rows, vocabulary = (folder / file for file in cls.files(name))
        facts: dict[str, Any] = json.loads(vocabulary.read_text(encoding="utf-8"))
        bag = Bag.parse(facts["bag"], str(vocabulary))
        return cls(bag, tuple(facts["terms"]), np.array(facts["idf"]), sparse.load_npz(rows))

    def equals(self, other: object) -> bool:
        """Return whether the other is a table of the same words with the same rows."""
        return (
            isinstance(other, BagTable)
            and self.terms == other.terms
            and self.vectors.shape == other.vectors.shape
            and not (self.vectors != other.vectors).nnz
        )


def _words(name: str, items: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return every word of every item: `item` (1, 2, ...), `term`; repeated words are repeated."""
    numbers = pl.int_range(1, len(items) + 1, dtype=pl.Int64, eager=True).alias("item")
    found = [pl.DataFrame(schema={"item": pl.Int64, "term": pl.String})]
    for column in columns:
        values = items[column]
        if isinstance(values.dtype, pl.List):
            terms = values.cast(pl.List(pl.String)).list.eval(
                pl.element().str.to_lowercase().str.strip_chars()
            )
        elif values.dtype == pl.String:
            terms = values.str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}]+")
        else:
            raise InputError(
                f"bag {name!r}: column {column!r} holds {values.dtype}; name one of text or lists"
            )
        rows = pl.DataFrame({"item": numbers, "term": terms}).explode("term")
        found.append(rows.filter(pl.col("term").is_not_null() & (pl.col("term") != "")))
    return pl.concat(found)


def _weigh(
    words: pl.DataFrame, count: int, terms: Sequence[str], idf: npt.NDArray[np.float64]
) -> sparse.csr_array:
    """Return unit rows of tf-idf for items 1..count, and row 0 without words."""
    columns = pl.DataFrame({"term": pl.Series(terms, dtype=pl.String)}).with_row_index("column")
    cells = words.join(columns, on="term").group_by("item", "column").len().sort("item", "column")
    rows, places = cells["item"].to_numpy(), cells["column"].to_numpy()
    values = cells["len"].to_numpy() * idf[places]
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=count + 1))
    values = (values / lengths[rows]).astype(np.float32)
    return sparse.csr_array((values, (rows, places)), shape=(count + 1, len(terms)))
