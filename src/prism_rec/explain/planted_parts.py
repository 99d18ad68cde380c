"""Pictures and texts with known unique, shared and joint information, and users who follow one kind of it."""

from dataclasses import dataclass

import numpy as np

from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories, IntArray

WIDTH = 8
NOISE = 0.4
"""Standard deviation of the noise that is added to each bit of -1 or 1."""


@dataclass(frozen=True, eq=False)
class PlantedParts:
    """Items made of four bits, and histories of users who choose items by one of them."""

    histories: Histories
    """U training histories; the items of one user share the bit that the user chooses by."""
    number_of_items: int
    """N."""
    features: dict[str, FeatureTable]
    """`image` and `text`, with noise; every item has both."""
    bits: dict[str, IntArray]
    """The bit of every catalogue row, by the name of the component that should hold it; row 0 means nothing.
    `unique:image` is visible only in pictures, `unique:text` only in texts, `redundancy` in both. `synergy` is visible
    in neither: it is the exclusive or of one further bit in each."""


def plant_parts(items: int = 600, users: int = 2500, length: int = 8, seed: int = 0) -> PlantedParts:
    """Draw items and users.

    Args:
        items: N, the number of items.
        users: U, the number of users.
        length: number of items in a history.
        seed: equal seeds give equal data.
    """
    random = np.random.default_rng(seed)
    in_image, in_text, in_both, joint, veil = random.integers(2, size=(5, items + 1))
    features = {
        "image": _show([in_image, in_both, veil], random),
        "text": _show([in_text, in_both, joint ^ veil], random),
    }
    bits = {"unique:image": in_image, "unique:text": in_text, "redundancy": in_both, "synergy": joint}
    rows = list(bits.values())
    histories = []
    for bit, value in zip(
        random.integers(len(rows), size=users), random.integers(2, size=users), strict=True
    ):
        liked = 1 + np.flatnonzero(rows[bit][1:] == value)
        histories.append(random.choice(liked, length, replace=False).tolist())
    return PlantedParts(Histories.from_lists(histories), items, features, bits)


def _show(bits: list[IntArray], random: np.random.Generator) -> FeatureTable:
    """Return unit vectors with one noisy bit in each of several orthogonal directions, none of them an axis."""
    signs = 2.0 * np.stack(bits, axis=1) - 1
    noisy = signs + NOISE * random.standard_normal(signs.shape)
    directions = np.linalg.qr(random.standard_normal((WIDTH, len(bits))))[0].T
    vectors = noisy @ directions
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    return FeatureTable(vectors.astype(np.float32), np.arange(len(vectors)) > 0)
