"""Deletion test of explanations: removing what is called important should lower the score more than a random item.

    python benchmarks/deletion.py runs/prism

For each user's best recommended item, one past item is removed, then a third of the past items together. The effects of
single items order both. The first comparison measures how often a random item has as large an effect; the second also
measures whether single effects say anything about removing several items at once.
"""

import sys

import numpy as np

from prism_rec import load
from prism_rec.data.histories import Histories
from prism_rec.explain.explanation import effects_of, scores_of

USERS = 300


def main(run: str) -> None:
    recommender, random = load(run, "cpu"), np.random.default_rng(0)
    ranker, histories = recommender.ranker, recommender.dataset.histories
    longer = [user for user in range(len(histories)) if len(set(histories[user].tolist())) > 2]
    users = [longer[place] for place in np.linspace(0, len(longer) - 1, min(USERS, len(longer))).astype(int)]
    best = recommender.recommend(users=recommender.dataset.users["user_id"].gather(users), k=1)
    row_of = {item: row for row, item in enumerate(recommender.dataset.items["item_id"], start=1)}
    singles, several = [], []
    for user, item in zip(users, best["item_id"], strict=True):
        history, row = histories[user][-ranker.max_length :], row_of[item]
        score = float(scores_of(ranker, Histories.from_lists([history.tolist()]), row)[0])
        effects = effects_of(ranker, history, row, score)
        ranked = sorted(effects, key=lambda one: effects[one] or 0, reverse=True)
        drawn = random.permutation(ranked)
        singles.append((effects[ranked[0]], effects[int(drawn[0])]))
        third = max(1, len(ranked) // 3)
        lists = [history[~np.isin(history, gone[:third])].tolist() for gone in (ranked, drawn)]
        several.append(score - scores_of(ranker, Histories.from_lists(lists), row))
    for name, pairs in (("one item", singles), ("a third of the items", several)):
        top, other = np.array(pairs, float).T
        print(
            f"{name}: removing the highest lowers the score more than at random for {np.mean(top > other):.1%} of "
            f"{len(top)} users; by {top.mean():.3f} against {other.mean():.3f} on average"
        )


if __name__ == "__main__":
    main(sys.argv[1])
