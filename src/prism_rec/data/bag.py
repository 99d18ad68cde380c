"""A modality made of words: for each item the weights of the words of a vocabulary, most of them zero."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors import safe_open
from scipy import sparse

from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import IntArray
from prism_rec.errors import DataError, SettingsError
from prism_rec.files import replacing
from prism_rec.tensor_files import Stored, write_tensors

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of a catalogue, and how the words of an item are counted and weighed.

    Text is put into lower case and cut into runs of letters, digits and `_`. A value of a list column, such as a path
    of categories, is one word. The weight of a word in an item is the number of times that the item has it, multiplied
    by idf = ln((1 + items) / (1 + items with the word)) + 1; then the weights of the item are scaled to length 1.

    Attributes:
        columns: the columns of the items that the words are in.
        terms: the U words, in alphabetical order.
        idf: float64 [U].
    """

    columns: tuple[str, ...]
    terms: tuple[str, ...]
    idf: npt.NDArray[np.float64]

    @classmethod
    def fit(
        cls, items: pl.DataFrame, columns: Sequence[str], min_items: int = 2, where: str = "items"
    ) -> Self:
        """Find the words of a catalogue.

        Args:
            items: one row per item.
            columns: columns of texts, whole numbers, or lists of them; their words are in one vocabulary.
            min_items: words of fewer items are left out: a word of one item says no more than the item's id.
            where: the name of the frame in messages.

        Raises:
            InputError: no such column, a column of another type, or no word in `min_items` items.
        """
        for column in columns:
            if column not in items.columns:
                raise SettingsError(
                    f"{where} has no column {column!r}; choose from {', '.join(items.columns)}"
                )
        words, vectorizer = _words(items, columns, where), _vectorizer(min_df=min_items)
        try:
            vectorizer.fit(words)
        except ValueError:  # nothing is left
            raise DataError(
                f"{where}: no word of {', '.join(columns)} is in {min_items} items; choose other columns, or lower "
                "`min_items`"
            ) from None
        return cls(tuple(columns), tuple(vectorizer.get_feature_names_out()), vectorizer.idf_)

    def weigh(self, items: pl.DataFrame, where: str = "items") -> sparse.csr_array:
        """Return the weights of R items, float32 [R, U]; other words and columns that are missing are left out."""
        vectorizer = _vectorizer(vocabulary=self.terms)
        vectorizer.idf_ = self.idf
        columns = [column for column in self.columns if column in items.columns]
        return sparse.csr_array(vectorizer.transform(_words(items, columns, where)).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Bag:
    """The words of R items; in a dataset, row = catalogue row, and row 0, padding, has no word.

    Attributes:
        vocabulary: the words.
        vectors: float32 [R, U]; a row has length 1, or no entry if the item has no word of the vocabulary.
    """

    vocabulary: Vocabulary
    vectors: sparse.csr_array

    @classmethod
    def of(
        cls, items: pl.DataFrame, columns: Sequence[str], min_items: int = 2, where: str = "items"
    ) -> Self:
        """Find the words of some items and weigh them; see `Vocabulary.fit`."""
        vocabulary = Vocabulary.fit(items, columns, min_items, where)
        return cls(vocabulary, vocabulary.weigh(items, where))

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Bool [R]; false for padding and for every item without a word of the vocabulary."""
        return np.diff(self.vectors.indptr) > 0

    @property
    def width(self) -> int:
        """Number U of words."""
        return len(self.vocabulary.terms)

    @property
    def coverage(self) -> float:
        """Share of the catalogue's items that have a word, 0 to 1."""
        return float(self.present[1:].mean())

    def take(self, rows: slice | IntArray) -> Self:
        """Return some of the rows, in the given order; row -1 is one without words."""
        if isinstance(rows, slice):
            return replace(self, vectors=self.vectors[rows])
        empty = sparse.csr_array((1, self.width), dtype=np.float32)
        return replace(self, vectors=sparse.vstack([self.vectors, empty], format="csr")[rows])

    def extend(self, items: pl.DataFrame, where: str) -> Self:
        """Return the bag with the rows of further items, made of the same columns, after the others."""
        new = self.vocabulary.weigh(items, where)
        return replace(self, vectors=sparse.vstack([self.vectors, new], format="csr"))

    def equals(self, other: object) -> bool:
        """Return whether the other has the same words and rows."""
        return (
            isinstance(other, Bag)
            and self.vocabulary.columns == other.vocabulary.columns
            and self.vocabulary.terms == other.vocabulary.terms
            and self.vectors.shape == other.vectors.shape
            and not (self.vectors != other.vectors).nnz
        )

    @staticmethod
    def files(name: str) -> tuple[str, ...]:
        """Return the name of the file of a modality in a dataset's folder."""
        return (f"features/{name}.words.safetensors",)

    def save(self, folder: Path, name: str) -> None:
        """Write the bag into a dataset's folder."""
        (path,) = (folder / file for file in self.files(name))
        path.parent.mkdir(exist_ok=True)
        self.write(path)

    @classmethod
    def load(cls, folder: Path, name: str, mapped: bool = False) -> Self:
        """Read the bag from a dataset's folder; it is small, so that `mapped` changes nothing."""
        return cls.read(folder / cls.files(name)[0])

    def write(self, path: Path) -> None:
        """Write rows and vocabulary to one file."""
        rows, words = self.vectors, self.vocabulary
        tensors = {"weights": rows.data, "words": rows.indices, "offsets": rows.indptr, "idf": words.idf}
        facts = {"columns": json.dumps(words.columns), "terms": json.dumps(words.terms)}
        with replacing(path) as partial, partial.open("wb") as file:
            write_tensors(file, {name: Stored.of(array) for name, array in tensors.items()}, facts)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `write` wrote."""
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata()
            weights, words, offsets, idf = map(file.get_tensor, ("weights", "words", "offsets", "idf"))
        vocabulary = Vocabulary(tuple(json.loads(facts["columns"])), tuple(json.loads(facts["terms"])), idf)
        shape = (len(offsets) - 1, len(vocabulary.terms))
        return cls(vocabulary, sparse.csr_array((weights, words, offsets), shape=shape))


Table = FeatureTable | Bag
"""One modality of a catalogue: vectors, or words."""


def _vectorizer(**settings: object) -> "TfidfVectorizer":
    """Return scikit-learn's TF-IDF of documents that are lists of words already."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import

    return TfidfVectorizer(analyzer=list, **settings)


def _words(items: pl.DataFrame, columns: Sequence[str], where: str) -> list[list[str]]:
    """Return the words of each item, as often as it has them."""
    if not columns:
        return [[]] * len(items)
    lists = [_words_of(items.schema[column], column, where).fill_null([]) for column in columns]
    return items.select(pl.concat_list(lists)).to_series().to_list()


def _words_of(kind: pl.DataType, column: str, where: str) -> pl.Expr:
    values = pl.col(column)
    if isinstance(kind, pl.List):
        terms = values.cast(pl.List(pl.String)).list.eval(pl.element().str.to_lowercase().str.strip_chars())
        return terms.list.eval(pl.element().filter(pl.element() != ""))
    if kind in (pl.String, pl.Categorical, pl.Enum) or kind.is_integer():
        return values.cast(pl.String).str.to_lowercase().str.extract_all(r"\w+")
    raise DataError(
        f"{where}: column {column!r} has the type {kind}; choose a column of texts, whole numbers or lists"
    )
