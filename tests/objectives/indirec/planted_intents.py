"""Users who each have one intent, and how well clusters find it."""

import numpy as np

from prism_rec.data.histories import Histories


def adjusted_rand_index(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far two clusterings agree beyond chance: 1 if they are the same (Hubert and Arabie, 1985)."""

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)
    rows, columns = pairs(table.sum(1)), pairs(table.sum(0))
    chance = rows * columns / pairs(np.array(len(one)))
    return (pairs(table) - chance) / ((rows + columns) / 2 - chance)


def plant(intents: int, items_each: int, users: int) -> tuple[Histories, np.ndarray]:
    """Return histories, each drawn from the items of one intent, and the intent of each user."""
    random = np.random.default_rng(0)
    of_user = np.arange(users) % intents
    lists = [
        intent * items_each + random.permutation(items_each)[: random.integers(4, items_each)] + 1
        for intent in of_user
    ]
    return Histories.from_lists(lists), of_user
