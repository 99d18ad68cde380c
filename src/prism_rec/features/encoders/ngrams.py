"""Texts -> sparse counts of hashed word and character n-grams; no vocabulary is kept.

Character n-grams are counted once per distinct word, and added up for the texts by one sparse product.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from scipy import sparse

_WORD = re.compile(r"\w+")
_CHARACTER_SIZES = (3, 4, 5)


def count_ngrams(texts: Sequence[str], columns: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Count words with their pairs, and characters inside words, each in its own hashed space.

    Upper and lower case count as equal. The hash is CRC-32, so equal texts give equal columns on any machine.

    Args:
        texts: any strings; one without letters or digits gives an empty row.
        columns: size of each hashed space.

    Returns:
        Two float32 matrices [texts, columns]: words and word pairs; 3 to 5 characters of `<word>`.
    """
    tokenised = [_WORD.findall(text.casefold()) for text in texts]
    lengths = np.array([len(words) for words in tokenised], dtype=np.int64)
    vocabulary: dict[str, int] = {}
    tokens = np.fromiter(
        (vocabulary.setdefault(word, len(vocabulary)) for word in chain.from_iterable(tokenised)),
        dtype=np.int64,
        count=int(lengths.sum()),
    )
    rows = np.repeat(np.arange(len(texts)), lengths)
    word_counts = _counts(rows, tokens, (len(texts), len(vocabulary)))
    characters = word_counts @ _character_ngrams(vocabulary, columns)
    return _word_ngrams(rows, tokens, _hashes(vocabulary), (len(texts), columns)), characters.tocsr()


def _word_ngrams(
    rows: np.ndarray, tokens: np.ndarray, hashes: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_array:
    words = hashes[tokens]
    adjacent = rows[1:] == rows[:-1]
    pairs = (words[:-1] * 31 + words[1:] + 1)[adjacent]
    return _counts(
        np.concatenate([rows, rows[1:][adjacent]]), np.concatenate([words, pairs]) % shape[1], shape
    )


def _character_ngrams(vocabulary: Iterable[str], columns: int) -> sparse.csr_array:
    grams = [
        [framed[start : start + size] for size in _CHARACTER_SIZES for start in range(len(framed) - size + 1)]
        for framed in (f"<{word}>" for word in vocabulary)
    ]
    rows = np.repeat(np.arange(len(grams)), [len(of_word) for of_word in grams])
    return _counts(rows, _hashes(chain.from_iterable(grams)) % columns, (len(grams), columns))


def _hashes(strings: Iterable[str]) -> np.ndarray:
    return np.fromiter((zlib.crc32(string.encode()) for string in strings), dtype=np.int64)


def _counts(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.coo_array((ones, (rows, columns)), shape=shape).tocsr()
