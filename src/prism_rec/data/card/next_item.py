"""Whether a modality, or what others took next, says which item comes next; nothing is trained."""

from typing import Any

import numpy as np
import numpy.typing as npt

from prism_rec.data.bag import Bag, Table
from prism_rec.data.dataset import Dataset
from prism_rec.data.sequential_rules import rules_of, strongest

MOST_QUESTIONS, FEWEST_QUESTIONS = 1_000, 50
WORK = 5e9
"""Number of products that are made per modality at most, unless fewer than 50 questions would be left."""
NEAREST = 20
_HELD = 1 << 24
_SEED = 0
_EQUAL = 1e-6
"""Cosines that differ by less are equal: the last bits depend on how a product is made."""


def measure_next_items(dataset: Dataset) -> dict[str, dict[str, float] | None]:
    """Compare the target of validation questions with the item before it, by the cosine of each modality.

    At most 1,000 questions are drawn, always the same; fewer if the catalogue is large, so that it takes seconds. A
    question counts if both items have the modality and are not the same.

    Returns:
        For each modality None if no question counts; otherwise `questions`, the number of them; `nearer_than_random`,
        the mean share of other items whose cosine with the item before is smaller than the target's (0.5: no better
        than chance; equal ones count half); `nearer_than_popular`, the same with items drawn by their training events,
        and its 95 % interval over targets, `low` to `high`; `nearest@20`, the share of targets among the 20 nearest
        items that are not in the history; `popular@20`, the same of the 20 items with the most training events.
    """
    return {name: _measure(dataset, table) for name, table in dataset.features.items()}


def measure_rules(dataset: Dataset, window: int = 5) -> dict[str, float] | None:
    """Look for the targets of validation questions among what others took after the item before; see `rules_of`.

    At most 1,000 questions are drawn, always the same.

    Args:
        dataset: its training histories have the rules.
        window: how far behind an item others count as its followers.

    Returns:
        None if there is no question; otherwise `questions`, the number of them; `rules@20`, the share of targets among
        the 20 strongest rules that are not in the history; `popular@20`, the same of the 20 items with the most
        training events.
    """
    questions = dataset.queries("validation")
    if not len(questions):
        return None
    asked = np.arange(len(questions))
    if len(asked) > MOST_QUESTIONS:
        asked = np.sort(np.random.default_rng(_SEED).choice(asked, MOST_QUESTIONS, replace=False))
    training = dataset.training()
    popular = _popular(training.counts(dataset.number_of_items))
    before = questions.histories.items[questions.histories.offsets[1:] - 1]
    of = np.zeros(dataset.number_of_items + 1, np.bool_)
    of[before[asked]] = True
    longest = int(questions.histories.lengths[asked].max())
    near, values = strongest(
        rules_of(training, dataset.number_of_items, window, of)[before[asked]], NEAREST + longest
    )
    found = []
    for place, question in enumerate(asked.tolist()):
        history, target = questions.histories[question], questions.targets[question]
        ruled = near[place][values[place] > 0]
        found.append([_is_shown(target, rows, history) for rows in (ruled, popular)])
    shares = np.mean(found, 0)
    return {
        "questions": len(asked),
        f"rules@{NEAREST}": float(shares[0]),
        f"popular@{NEAREST}": float(shares[1]),
    }


def _popular(events: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return all rows, those with the most events first."""
    return np.argsort(-events[1:], kind="stable") + 1


def _is_shown(target: int, rows: npt.NDArray[Any], history: npt.NDArray[np.int64]) -> bool:
    """Return whether a target is among the first rows that are not in the history."""
    shown = rows[: NEAREST + len(history)]
    return bool(target in shown[~np.isin(shown, history)][:NEAREST])


def _measure(dataset: Dataset, table: Table) -> dict[str, float] | None:
    questions = dataset.queries("validation")
    if not len(questions.users):
        return None
    ends = questions.histories.offsets[1:] - 1
    before, targets = questions.histories.items[ends], questions.targets
    counted = np.flatnonzero(table.present[before] & table.present[targets] & (before != targets))
    if not len(counted):
        return None
    per_item = table.vectors.nnz / len(table.present) if isinstance(table, Bag) else table.width
    most = int(np.clip(WORK / (len(table.present) * max(1, per_item)), FEWEST_QUESTIONS, MOST_QUESTIONS))
    if len(counted) > most:
        counted = np.sort(np.random.default_rng(_SEED).choice(counted, most, replace=False))
    events = dataset.training().counts(dataset.number_of_items)
    popular = _popular(events)
    found = []
    step = max(1, _HELD // len(table.present))
    for begin in range(0, len(counted), step):
        part = counted[begin : begin + step]
        for question, cosines in zip(part, _cosines(table, before[part]), strict=True):
            history = np.unique(questions.histories[question])
            found.append(
                _one(cosines, table.present, events, popular, history, before[question], targets[question])
            )
    random, by_events, near, best = np.array(found, float).T
    # Questions of the same target are not independent, so deviations are summed per target first.
    per_target = np.bincount(targets[counted], by_events - by_events.mean())
    error = 1.96 * np.sqrt(np.square(per_target).sum()) / len(by_events)
    return {
        "questions": len(counted),
        "nearer_than_random": float(random.mean()),
        "nearer_than_popular": float(by_events.mean()),
        "low": float(by_events.mean() - error),
        "high": float(by_events.mean() + error),
        f"nearest@{NEAREST}": float(near.mean()),
        f"popular@{NEAREST}": float(best.mean()),
    }


def _one(
    cosines: npt.NDArray[np.float32],
    present: npt.NDArray[np.bool_],
    events: npt.NDArray[np.int64],
    popular: npt.NDArray[np.int64],
    history: npt.NDArray[np.int64],
    before: int,
    target: int,
) -> tuple[float, float, bool, bool]:
    """Return the four figures of one question."""
    own = cosines[target]
    larger = cosines > own + _EQUAL
    smaller = (cosines < own - _EQUAL) + 0.5 * (np.abs(cosines - own) <= _EQUAL)
    others = present.copy()
    others[[before, target]] = False
    weights = events * others
    random = smaller[others].mean() if others.any() else 0.5
    by_events = smaller @ weights / weights.sum() if weights.any() else 0.5
    new = present.copy()
    new[history] = False
    near = bool(new[target]) and (larger & new).sum() < NEAREST
    return random, by_events, near, _is_shown(target, popular, history)


def _cosines(table: Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the cosines of some items with all; vectors have length 1 or 0."""
    if isinstance(table, Bag):
        return (table.vectors[rows] @ table.vectors.T).toarray()
    return table.vectors[rows] @ table.vectors.T


def say_next_item(found: dict[str, Any] | None) -> str:
    """Return the figures of a modality in one sentence."""
    if found is None:
        return "not measured: no validation target and item before it both have it"
    if found["low"] > 0.5:
        verdict = "it says something about the next item"
    elif found["high"] < 0.5:
        verdict = "next items are rather unlike"
    else:
        verdict = "no relation to the next item can be seen"
    return (
        f"{verdict}: the next item is nearer than {found['nearer_than_random']:.0%} of all items, and than "
        f"{found['nearer_than_popular']:.0%} ({found['low']:.0%} to {found['high']:.0%}) of popular ones; the "
        f"{NEAREST} nearest have {found[f'nearest@{NEAREST}']:.1%} of the next items, the {NEAREST} most popular "
        f"{found[f'popular@{NEAREST}']:.1%} ({found['questions']:,} users)"
    )


def say_rules(found: dict[str, Any] | None) -> str:
    """Return the figures of rules in one sentence."""
    if found is None:
        return "not measured: there is no validation target"
    return (
        f"the {NEAREST} items that others took most after the latest one have {found[f'rules@{NEAREST}']:.1%} of the "
        f"next items, the {NEAREST} most popular {found[f'popular@{NEAREST}']:.1%} ({found['questions']:,} users)"
    )
