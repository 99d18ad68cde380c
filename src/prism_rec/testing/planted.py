"""Data whose right answers are known, small enough for a test."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories, IntArray

WIDTHS = {"image": 6, "text": 5}


@dataclass(frozen=True, eq=False)
class Planted:
    """Training histories in which the last item depends only on the items before it.

    Attributes:
        histories: U distinct histories, each once.
        number_of_items: N.
        features: one table per modality; items of every pattern of presence.
    """

    histories: Histories
    number_of_items: int
    features: dict[str, FeatureTable]

    def questions(self) -> tuple[Histories, IntArray]:
        """Return each history without its last item, and that item: the right answer."""
        ends = self.histories.lengths - 1
        answers = self.histories.items[self.histories.offsets[1:] - 1]
        return self.histories.prefixes(np.arange(len(ends)), ends), answers


def plant_first_tells_last(keys: int = 10, fillers: int = 5) -> Planted:
    """Plant keys * fillers users, each with a history of three items: a key, a filler, and the key's answer.

    The filler carries no information, so that a model must look past the last item of a question. Keys and fillers are
    never answers, so that even a loss that never scores a user's own items against each other can separate them.
    """
    key, filler = np.divmod(np.arange(keys * fillers), fillers)
    rows = np.stack([1 + key, 1 + keys + filler, 1 + keys + fillers + key], 1)
    number_of_items = 2 * keys + fillers
    return Planted(Histories.from_lists(rows.tolist()), number_of_items, plant_features(number_of_items))


def plant_features(
    number_of_items: int, widths: Mapping[str, int] = WIDTHS, seed: int = 0
) -> dict[str, FeatureTable]:
    """Return unit vectors without meaning; item i has the m-th modality if bit m of i is set.

    So every pattern of presence occurs among 2^M items in a row, and every 2^M-th item has no modality.

    Args:
        number_of_items: N.
        widths: modality -> width of its vectors.
        seed: of the vectors.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(number_of_items + 1)
    tables = {}
    for m, (name, width) in enumerate(widths.items()):
        present = (rows >> m & 1).astype(bool)
        vectors = rng.normal(size=(number_of_items + 1, width)) * present[:, None]
        vectors[present] /= np.linalg.norm(vectors[present], axis=1, keepdims=True)
        tables[name] = FeatureTable(vectors.astype(np.float32), present)
    return tables


def hide(features: Mapping[str, FeatureTable], modality: str) -> dict[str, FeatureTable]:
    """Return the features with one modality taken from every item."""
    table = features[modality]
    absent = FeatureTable(np.zeros_like(table.vectors), np.zeros_like(table.present))
    return {**features, modality: absent}
