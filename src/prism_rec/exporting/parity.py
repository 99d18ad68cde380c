"""Whether an exported folder recommends the same as the run."""

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from prism_rec.config import Config
from prism_rec.errors import InputError
from prism_rec.exporting.reader import ExportedRecommender
from prism_rec.recommend.recommender import Recommender
from prism_rec.records import MANIFEST, read_manifest

HISTORIES, BEST = 200, 10
TOLERANCE = 1e-5


class Parity(Config):
    """How the lists of an exported folder and of its run compare."""

    histories: int
    """Number of histories that both were asked for."""
    k: int
    """Number of items of each list."""
    other_items: int
    """Number of places with another item, unless the scores of both items are within the tolerance."""
    largest_difference: float
    """Largest difference of a score or of a part of it, in units of the largest of 1 and the score."""

    @classmethod
    def of_folder(cls, folder: Path) -> "Parity":
        """Read the record that was made when the folder was written."""
        return cls.parse(read_manifest(folder / MANIFEST)["parity"], str(folder))

    def require_equal(self) -> None:
        """Refuse a folder that recommends other items.

        Raises:
            InputError: an item or a score is another one.
        """
        if self.other_items or not self.largest_difference <= TOLERANCE:
            raise InputError(
                f"the exported model differs from the run: {self.other_items} other items, scores by "
                f"{self.largest_difference:.1e}; it is not written"
            )


def compare(exported: ExportedRecommender, recommender: Recommender) -> Parity:
    """Ask both for the same histories: those of users, and made-up ones up to 200 in all, one of them empty."""
    users = recommender.dataset.users["user_id"][: HISTORIES // 2].to_list()
    asked = {f"user {user}": recommender.history_of(user) for user in users}
    random = np.random.default_rng(0)
    for number in range(HISTORIES - 1 - len(asked)):
        length = int(random.integers(1, recommender.ranker.max_length + 3))
        asked[f"made up {number}"] = random.choice(exported.ids, length).tolist()
    asked["empty"] = []
    k = min(BEST, len(exported.ids))
    live = recommender.recommend(asked, k=k + 1).to_dicts()
    names = ["score", *exported.components]
    other, largest = 0, 0.0
    by_user = {user: list(rows) for user, rows in groupby(live, lambda row: row["user_id"])}
    for user, rows in groupby(exported.recommend(asked, k=k), lambda row: str(row["user_id"])):
        known = {row["item_id"]: row for row in by_user.pop(user, [])}
        for row, expected in zip(rows, known.values(), strict=False):
            found = known.get(row["item_id"], {})
            other += not found or not _close(found["score"], expected["score"])
            largest = max([largest, *(_difference(row[name], found.get(name)) for name in names if found)])
    return Parity(histories=len(asked), k=k, other_items=other + len(by_user), largest_difference=largest)


def _close(one: Any, other: Any) -> bool:
    return _difference(one, other) <= 2 * TOLERANCE


def _difference(one: Any, other: Any) -> float:
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    return float(abs(one - other) / max(1.0, abs(other)))
