"""Deletion tests: removing items that are called important should lower a score more than removing random ones."""

import numpy as np

from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.explain.explanation import effects_of, scores_of
from prism_rec.rank import Ranker


class Deletion(Config):
    """How the score of each user's best item changes if past items are removed."""

    users: int
    """Number of users, spread over the data."""
    one: float
    """Part of the users for whom the past item with the largest effect lowers the score more than a random one."""
    third: float
    """The same for the third of the history with the largest effects, removed together, and a random third."""
    falls: tuple[tuple[float, float], tuple[float, float]]
    """The mean falls of the score: highest and random, for one item and for a third."""


def delete(ranker: Ranker, histories: Histories, users: int, seed: int = 0) -> Deletion | None:
    """Remove past items of some users, the highest in effect and random ones, and compare.

    The highest item is found by the same differences, so that `one` is below 1 only if the random item is that item
    or has the same effect. `third` is a test: single effects need not add up.

    Args:
        ranker: of the model.
        histories: whole histories; those with fewer than three distinct items are left out.
        users: number of users, at most.
        seed: of the random items.

    Returns:
        The comparison; None if no history is long enough.
    """
    random = np.random.default_rng(seed)
    longer = [user for user in range(len(histories)) if len(set(histories[user].tolist())) > 2]
    if not longer:
        return None
    chosen = [longer[place] for place in np.linspace(0, len(longer) - 1, min(users, len(longer))).astype(int)]
    asked = Histories.from_lists([histories[user].tolist() for user in chosen])
    best = ranker.rank(asked, np.ones(len(chosen), np.int64), k=1).top[:, 0]
    pairs = []
    for user, item in zip(chosen, best.tolist(), strict=True):
        history = histories[user][-ranker.max_length :]
        score = float(scores_of(ranker, Histories.from_lists([history.tolist()]), item)[0])
        effects = effects_of(ranker, history, item, score)
        ranked = sorted(effects, key=lambda row: effects[row] or 0, reverse=True)
        drawn = [int(row) for row in random.permutation(ranked)]
        third = max(1, len(ranked) // 3)
        lists = [history[~np.isin(history, gone[:third])].tolist() for gone in (ranked, drawn)]
        several = score - scores_of(ranker, Histories.from_lists(lists), item)
        pairs.append([[effects[ranked[0]], effects[drawn[0]]], several])
    falls_UXX = np.array(pairs, np.float64)
    more_X = (falls_UXX[..., 0] > falls_UXX[..., 1]).mean(0)
    one, third_ = falls_UXX.mean(0).round(4).tolist()
    return Deletion(
        users=len(chosen), one=float(more_X[0]), third=float(more_X[1]), falls=(tuple(one), tuple(third_))
    )
