"""A text encoder that needs no download: hashed n-grams, weighted by rarity, reduced by a truncated SVD.

Latent semantic analysis (Deerwester et al. 1990) by randomised SVD (Halko, Martinsson, Tropp 2011).
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.linalg import qr, svd

from prism_rec.features.encoders.encoder import NEGLIGIBLE, Encoded, Encoder, Modality, unit_rows
from prism_rec.features.encoders.ngrams import count_ngrams

_COLUMNS = 2**17
_CHUNK = 10_000
_OVERSAMPLING = 16
_POWER_ITERATIONS = 3


class HashedTextEncoder(Encoder):
    """Turns texts into unit vectors. Texts of similar words lie close together.

    The axes are learned from the texts themselves: vectors of one collection compare with each other, not with
    those of another collection. An encoder that has learned encodes new texts too. The order of the texts changes
    nothing but rounding. Equal calls give equal bits on one machine.

    Args:
        width: D, the length of a vector; if there are fewer distinct texts, the last axes are zero.
        fit_on: the axes are learned from at most this number of distinct texts, chosen by hash.
        sample: the texts that the axes are learned from; `fit` sets it. If it is None, `encode` learns from the
            batch that it encodes.
    """

    encodes: Modality = "text"
    portable = False

    def __init__(self, width: int = 256, fit_on: int = 20_000, sample: Sequence[str] | None = None) -> None:
        collection = hashlib.sha256(b"".join(map(_digest, sample or ()))).hexdigest()
        self.fingerprint = f"hashed-text width={width} texts={collection}"
        self._width = width
        self._fit_on = fit_on
        self.learned_from = sample

    def fit(self, contents: Sequence[str | Path]) -> "HashedTextEncoder":
        """Return the encoder of this collection; it encodes any text, new texts too."""
        sample = sorted({str(text) for text in contents}, key=_digest)[: self._fit_on]
        return HashedTextEncoder(self._width, self._fit_on, sample)

    def encode(self, batch: Sequence[str]) -> Encoded:
        """Return unit rows; zero (absent) if a text shares no n-gram with the collection."""
        if self.learned_from is None:
            return self.fit(batch).encode(batch)
        rarity, axes = self._learned
        vectors = np.zeros((len(batch), self._width), dtype=np.float32)
        for start in range(0, len(batch), _CHUNK):
            words, characters = count_ngrams(batch[start : start + _CHUNK], _COLUMNS)
            vectors[start : start + _CHUNK] = _weigh(words, characters, rarity) @ axes
        return Encoded(unit_rows(vectors))

    @cached_property
    def _learned(self) -> tuple[np.ndarray, np.ndarray]:
        """Rarity of the n-grams, float32 [2, columns]; axes, float32 [2 columns, D]."""
        words, characters = count_ngrams(self.learned_from or (), _COLUMNS)
        rarity = np.stack([_rarity(words), _rarity(characters)])
        return rarity, _axes(_weigh(words, characters, rarity), self._width)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _rarity(counts: sparse.csr_array) -> np.ndarray:
    """Smoothed inverse document frequency; zero for an n-gram that is in no text."""
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + counts.shape[0]) / (1 + texts)) + 1
    return np.where(texts > 0, rarity, 0).astype(np.float32)


def _weigh(words: sparse.csr_array, characters: sparse.csr_array, rarity: np.ndarray) -> sparse.csr_array:
    """Damp counts, weigh them by rarity, and give words and characters equal weight in each text."""
    blocks = []
    for counts, weights in zip((words, characters), rarity, strict=True):
        weighted = counts.copy()
        weighted.data = (1 + np.log(counts.data)) * weights[counts.indices]
        norms = np.sqrt(weighted.multiply(weighted).sum(axis=1))
        weighted.data /= np.repeat(np.where(norms > 0, norms, 1), np.diff(weighted.indptr))
        blocks.append(weighted)
    return sparse.hstack(blocks, format="csr")


def _axes(matrix: sparse.csr_array, width: int) -> np.ndarray:
    """Return the leading right singular vectors as columns [columns, width]; those beyond the rank are zero.

    The starting vectors come from a fixed seed, and the sign of each axis makes its largest entry positive.
    """
    axes = np.zeros((matrix.shape[1], width), dtype=np.float32)
    used = np.unique(matrix.indices)
    if len(used) == 0:
        return axes
    matrix = matrix[:, used]
    sketched = min(width + _OVERSAMPLING, *matrix.shape)
    basis = np.random.default_rng(0).standard_normal((matrix.shape[0], sketched), dtype=np.float32)
    for _ in range(1 + _POWER_ITERATIONS):
        basis = qr(matrix @ (matrix.T @ basis), mode="economic")[0]
    vectors, values, _ = svd(matrix.T @ basis, full_matrices=False)
    kept = min(width, int((values > NEGLIGIBLE * values[0]).sum()))
    vectors = vectors[:, :kept]
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(kept)]
    axes[used, :kept] = vectors * np.where(largest < 0, -1, 1)
    return axes
