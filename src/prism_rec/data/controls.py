"""Features without information about their items: a gain with them is not a gain from pictures and texts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import sparse

from prism_rec.data.bag import Bag, Table
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import IntArray

Control = Literal["given", "shuffled", "random"]


def control_features(features: Mapping[str, Table], control: Control, seed: int) -> dict[str, Table]:
    """Return the features unchanged, or a control with the same shapes, presence and lengths of vectors.

    `shuffled`: the right vectors at the wrong items. An item gets all vectors of one other item with the same
    modalities, so a picture stays with its text; it keeps its own if no other item has the same modalities.
    `random`: noise of uniform direction; each vector has the length of the vector that it replaces. In a bag, any word
    replaces each word.

    Args:
        features: one table per modality.
        control: the kind of control; `given` changes nothing.
        seed: equal seeds give equal vectors.
    """
    if control == "given" or not features:
        return dict(features)
    random = np.random.default_rng(seed)
    if control == "random":
        return {name: _replace_by_noise(table, random) for name, table in features.items()}
    source = _pass_on(np.stack([table.present for table in features.values()], axis=1), random)
    return {name: table.take(source) for name, table in features.items()}


def _replace_by_noise(table: Table, random: np.random.Generator) -> Table:
    if isinstance(table, Bag):
        rows = table.vectors
        words = random.integers(table.width, size=rows.nnz)
        drawn = sparse.csr_array((rows.data.copy(), words, rows.indptr), shape=rows.shape)
        drawn.sum_duplicates()
        return replace(table, vectors=drawn)
    noise = random.standard_normal(table.vectors.shape, np.float32)
    lengths, drawn = (np.linalg.norm(rows, axis=1, keepdims=True) for rows in (table.vectors, noise))
    return FeatureTable(noise * (lengths / drawn), table.present)


def _pass_on(present: np.ndarray, random: np.random.Generator) -> IntArray:
    """Return for each row another row with the same modalities; each row is taken once."""
    source = np.arange(len(present))
    _, patterns = np.unique(present, axis=0, return_inverse=True)
    for pattern in range(patterns.max() + 1):
        circle = random.permutation(np.flatnonzero(patterns == pattern))
        source[circle] = np.roll(circle, 1)  # in a circle of two or more, no row keeps its own
    return source
