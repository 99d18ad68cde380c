"""Features that say nothing of their items: what they gain is no gain from pictures and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import sparse

from prism_rec.data.bag import BagTable
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import IntArray

Control = Literal["given", "shuffled", "random"]


def control_features(
    features: Mapping[str, FeatureTable | BagTable], control: Control, seed: int
) -> dict[str, FeatureTable | BagTable]:
    """Return the features as they are, or a control of the same shapes, presence and lengths of vectors.

    `shuffled`: right vectors, wrong items. An item gets all that belongs to one other item with the same modalities,
    so that pictures still go with their texts; it keeps its own where no other item has the same modalities.
    `random`: noise in every direction alike, each vector as long as the one that it replaces; of a bag, each word is
    replaced by one drawn at random.

    Args:
        features: a table a modality.
        control: which; `given` changes nothing.
        seed: equal seeds give equal vectors.
    """
    if control == "given" or not features:
        return dict(features)
    random = np.random.default_rng(seed)
    if control == "random":
        return {name: _replace_by_noise(table, random) for name, table in features.items()}
    source = _pass_on(np.stack([table.present for table in features.values()], axis=1), random)
    return {name: table.take(source) for name, table in features.items()}


def _replace_by_noise(table: FeatureTable | BagTable, random: np.random.Generator) -> FeatureTable | BagTable:
    if isinstance(table, BagTable):
        rows = table.vectors
        words = random.integers(table.width, size=rows.nnz)
        drawn = sparse.csr_array((rows.data.copy(), words, rows.indptr), shape=rows.shape)
        drawn.sum_duplicates()
        return replace(table, vectors=drawn)
    noise = random.standard_normal(table.vectors.shape, np.float32)
    lengths, drawn = (np.linalg.norm(rows, axis=1, keepdims=True) for rows in (table.vectors, noise))
    return FeatureTable(noise * (lengths / drawn), table.present)


def _pass_on(present: np.ndarray, random: np.random.Generator) -> IntArray:
    """Return for each row one other with the same modalities, each taken once."""
    source = np.arange(len(present))
    _, patterns = np.unique(present, axis=0, return_inverse=True)
    for pattern in range(patterns.max() + 1):
        circle = random.permutation(np.flatnonzero(patterns == pattern))
        source[circle] = np.roll(circle, 1)  # in a circle of two or more nobody keeps their own
    return source
