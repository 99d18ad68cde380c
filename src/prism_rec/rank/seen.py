"""Whether items of a user's history are candidates: one setting for everything that ranks."""

from typing import Literal

import numpy as np

from prism_rec.data.dataset import Dataset

Seen = Literal["remove", "keep"]
"""What happens to the items of a user's history before ranking."""

NEVER = int(np.iinfo(np.int64).max)
"""The rank of a target that is not a candidate: no cutoff reaches it."""


def seen_from(dataset: Dataset) -> Seen:
    """Return the default for the data: `keep` if users come back to items, otherwise `remove`.

    Test events have no influence.
    """
    if dataset.cleaning.duplicates != "all":  # no user has an item twice
        return "remove"
    known = dataset.histories.prefixes(np.arange(dataset.number_of_users), dataset.split.validation_end)
    users = np.repeat(np.arange(len(known)), known.lengths)
    pairs = users * (dataset.number_of_items + 1) + known.items
    return "keep" if len(np.unique(pairs)) < len(pairs) else "remove"


def say_repeats(share: float, part: str, seen: Seen) -> str | None:
    """Return one line for people on targets that are in the user's history; None if there are none.

    Args:
        share: the share of such targets, 0 to 1.
        part: `validation` or `test`.
        seen: what is done about them.
    """
    if not share:
        return None
    effect = "are candidates" if seen == "keep" else "are removed, so every model misses these targets"
    return f"{share:.1%} of {part} targets are in the user's history; seen items {effect} (`seen: {seen}`)"
