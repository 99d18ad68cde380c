"""A text encoder that needs no download: hashed n-grams, weighted by rarity, reduced by a truncated SVD.

Latent semantic analysis (Deerwester et al. 1990) by randomised SVD (Halko, Martinsson, Tropp 2011).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import qr, svd

from prism_rec.features.encoders.ngrams import count_ngrams
from prism_rec.features.encoders.unit import NEGLIGIBLE, unit_rows

_COLUMNS = 2**17
_CHUNK = 10_000
_OVERSAMPLING = 16
_POWER_ITERATIONS = 3


@dataclass(frozen=True)
class HashedTextEncoder:
    """Turn texts into unit vectors in which texts of similar words lie close together.

    The axes are learned from the texts themselves: one collection's vectors compare with each other and with
    those of `fit(texts).encode(more)`, not with another collection's. The order of the texts changes nothing
    but rounding; equal calls give equal bits on one machine.

    Attributes:
        width: D, the length of a vector; fewer distinct texts than that leave the last axes zero.
        fit_on: the axes are learned from at most so many distinct texts, chosen by hash; all are encoded.
    """

    width: int = 256
    fit_on: int = 20_000

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 [texts, D], unit rows; zero (absent) where a text has no letter or digit."""
        return self.fit(texts).encode(texts)

    def fit(self, texts: Sequence[str]) -> "FittedTextEncoder":
        """Learn the axes; what comes back encodes any text, new ones too."""
        sample = sorted(set(texts), key=_digest)[: self.fit_on]
        fingerprint = hashlib.sha256(b"".join(map(_digest, sample))).hexdigest()
        words, characters = count_ngrams(sample, _COLUMNS)
        weights = np.stack([_rarity(words), _rarity(characters)])
        axes = _axes(_weigh(words, characters, weights), self.width)
        return FittedTextEncoder(weights, axes, f"hashed-text width={self.width} texts={fingerprint}")


@dataclass(frozen=True, eq=False)
class FittedTextEncoder:
    """The axes learned from one collection of texts.

    Attributes:
        weights: float32 [2, columns], rarity of each hashed word n-gram and character n-gram.
        axes: float32 [2 columns, D].
        fingerprint: differs whenever the vector of some text may.
    """

    weights: np.ndarray
    axes: np.ndarray
    fingerprint: str
    encodes = "text"

    @property
    def width(self) -> int:
        """D, the length of a vector."""
        return int(self.axes.shape[1])

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 [texts, D], unit rows; zero (absent) where a text shares nothing with them."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(texts), _CHUNK):
            words, characters = count_ngrams(texts[start : start + _CHUNK], _COLUMNS)
            vectors[start : start + _CHUNK] = _weigh(words, characters, self.weights) @ self.axes
        return unit_rows(vectors)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _rarity(counts: sparse.csr_array) -> np.ndarray:
    """Smoothed inverse document frequency; zero for an n-gram that no text has."""
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + counts.shape[0]) / (1 + texts)) + 1
    return np.where(texts > 0, rarity, 0).astype(np.float32)


def _weigh(words: sparse.csr_array, characters: sparse.csr_array, weights: np.ndarray) -> sparse.csr_array:
    """Damp counts, weigh them by rarity, and give words and characters equal say in each text."""
    blocks = []
    for counts, rarity in zip((words, characters), weights, strict=True):
        counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
        norms = np.sqrt(counts.multiply(counts).sum(axis=1))
        counts.data /= np.repeat(np.where(norms > 0, norms, 1), np.diff(counts.indptr))
        blocks.append(counts)
    return sparse.hstack(blocks, format="csr")


def _axes(matrix: sparse.csr_array, width: int) -> np.ndarray:
    """Return the leading right singular vectors as columns [columns, width]; those beyond the rank are zero.

    The starting vectors come from a fixed seed, and each axis points to where its largest entry is positive.
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
