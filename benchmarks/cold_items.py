"""Cold items: what finds items that appear after training, among all such items of a part.

    python benchmarks/cold_items.py DATA [RUN ...] --part validation

DATA is a dataset with the split `cold-items`, and each RUN was trained on it. Compared with the runs: a random order,
popularity, and nearest neighbours by content (the mean cosine of a candidate with the latest items of the history, over
modalities). Two figures per ranker, with 95 % intervals over users: `first` is Recall@20 of the one target per user, as
in `evaluate`; `all` is the mean share of all candidates that a user took in the part, given the same history.
"""

import argparse
from collections.abc import Callable

import numpy as np

from prism_rec import Dataset, Run
from prism_rec.data import Queries
from prism_rec.data.bag import Bag, Table
from prism_rec.evaluation.intervals import estimate
from prism_rec.rank import PopularityRanker

K = 20
LATEST = {"last": 1, "last 5": 5, "last 20": 20, "all": 10**9}


def taken(dataset: Dataset, part: str, queries: Queries) -> list[np.ndarray]:
    """Return for each question all candidates that the user took in the part, the target first."""
    split, histories = dataset.split, dataset.histories
    at, end = (
        (split.validation_at, split.validation_end)
        if part == "validation"
        else (split.test_at, histories.lengths)
    )
    later = (histories[user][at[user] : end[user]] for user in queries.users)
    return [np.unique(items[np.isin(items, queries.candidates)]) for items in later]


def neighbours(tables: list[Table], latest: int) -> Callable[[Queries], np.ndarray]:
    """Return what finds the candidates whose content is nearest to the latest items of a history."""

    def find(queries: Queries) -> np.ndarray:
        candidates, top = queries.candidates, []
        for history in queries.histories:
            products = [table.vectors[history[-latest:]] @ table.vectors[candidates].T for table in tables]
            dense = [
                product.toarray() if isinstance(table, Bag) else product
                for product, table in zip(products, tables, strict=True)
            ]
            scores = np.where(np.isin(candidates, history), -np.inf, sum(one.mean(0) for one in dense))
            top.append(candidates[np.argsort(-scores, kind="stable")[:K]])
        return np.array(top)

    return find


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--part", choices=["validation", "test"], default="validation")
    options = parser.parse_args()
    dataset = Dataset.load(options.data)
    queries = dataset.queries(options.part)
    if queries.candidates is None:
        raise SystemExit(f"{options.data} has another split than cold-items")
    everything = taken(dataset, options.part, queries)
    print(f"{len(queries)} users, {len(queries.candidates)} candidates, {sum(map(len, everything))} events")
    print(f"{'random (expected)':40} first {K / len(queries.candidates):.4f}")

    def show(name: str, top: np.ndarray) -> None:
        first = (top[:, :K] == queries.targets[:, None]).any(1).astype(float)
        found = (np.isin(items, rows[:K]).mean() for rows, items in zip(top, everything, strict=True))
        whole = np.array(list(found))
        figures = (
            f"{figure} {one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"
            for figure, one in (("first", estimate(first)), ("all", estimate(whole)))
        )
        print(f"{name:40} {'   '.join(figures)}", flush=True)

    popularity = PopularityRanker(dataset.training(), dataset.number_of_items)
    show("popularity", popularity.rank(queries.histories, queries.targets, K, queries.candidates).top)
    groups = {name: [table] for name, table in dataset.features.items()}
    for name, tables in {**groups, "all modalities": list(dataset.features.values())}.items():
        for how, latest in LATEST.items():
            show(f"neighbours by {name}, {how}", neighbours(tables, latest)(queries))
    for folder in options.runs:
        ranker = Run.load(folder, "cpu").ranker()
        show(folder, ranker.rank(queries.histories, queries.targets, K, queries.candidates).top)


if __name__ == "__main__":
    main()
