"""Why an item has its score for a history: the parts of the score, and what the score depends on.

Nothing is estimated. The parts are the terms of the sum that is the score. What the score depends on is found by
scoring again without a past item, or without a modality.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64

from prism_rec.config import Config
from prism_rec.data.histories import Histories, IntArray
from prism_rec.explain.gate_weights import weighed_components, weighs_users, weights_of
from prism_rec.explain.hiding import hide, modalities_of
from prism_rec.rank import CatalogueRanker, Ranker

Name = Callable[[int], tuple[str, str | None]]
"""Returns id and title of a catalogue row."""


class PastItem(Config):
    """An item of the history, and how far the score depends on it."""

    item_id: str
    """Its id."""
    title: str | None
    """Its title, if the data has one."""
    effect: float | None
    """The score minus the score without this item in the history; 0 if the model reads only later items, None if the
    history has no other item."""


class Explanation(Config):
    """Why an item has its score for a history.

    `contributions` are exact: their sum is `score`. An effect is the score minus the score of the same model if
    something is missing; effects do not add up to the score, because the model reads items together.
    """

    item_id: str
    """The item that is scored."""
    title: str | None
    """Its title, if the data has one."""
    score: float
    """The score."""
    contributions: dict[str, float]
    """What `id` and each component of the fusion add to the score; may be negative."""
    own_id: bool = True
    """Whether the part `id` was learned for this item. If not, the item has no training event, and the part is the
    usual one of recommended items, the same for all new items."""
    history: tuple[PastItem, ...]
    """The distinct items of the history, in the order of their first place."""
    because: str | None
    """The id of the past item with the largest effect, if it raises the score."""
    modalities: dict[str, float]
    """For each modality, the effect of hiding it in this item and in the whole history."""
    weights: dict[str, float]
    """The weights of the components that the gate gives to this history; empty if there is no such gate."""
    average_weights: dict[str, float]
    """The mean of these weights over the users of the data; empty if there is no such gate."""
    sentence: str
    """The largest part and the largest effects in one sentence."""


@torch.no_grad()
def explain(
    ranker: CatalogueRanker, history: IntArray, item: int, name: Name, average_weights: dict[str, float]
) -> Explanation:
    """Explain the score of one item for one history.

    Args:
        ranker: of the model, or of several.
        history: catalogue rows, oldest first; at least one.
        item: the catalogue row that is scored.
        name: gives ids and titles.
        average_weights: of the gate, by component.
    """
    histories, first = Histories.from_lists([history.tolist()]), np.zeros(1, np.int64)
    rows_11 = torch.full((1, 1), item, device=ranker.device)
    parts_J = ranker.contributions(ranker.states(histories, first), rows_11)[0, 0].double().cpu().numpy()
    score = float(parts_J.sum())
    past = _past_items(ranker, history, item, score, name)
    effects = {one.item_id: one.effect for one in past if one.effect is not None and one.effect > 0}
    item_id, title = name(item)
    weights: dict[str, float] = {}
    if weighs_users(ranker):
        weights_J = weights_of(ranker, histories, first)[0].tolist()
        weights = dict(zip(weighed_components(ranker), weights_J, strict=True))
    found = Explanation(
        item_id=item_id,
        title=title,
        score=score,
        contributions=dict(zip(ranker.component_names, parts_J.tolist(), strict=True)),
        own_id=_has_own_id(ranker, item),
        history=tuple(past),
        because=max(effects, key=lambda one: effects[one]) if effects else None,
        modalities={
            modality: score - _score_without(ranker, history, item, modality)
            for modality in modalities_of(ranker)
        },
        weights=weights,
        average_weights=average_weights if weights else {},
        sentence="",
    )
    return found.model_copy(update={"sentence": say(found)})


def scores_of(ranker: CatalogueRanker, histories: Histories, item: int) -> Float64[np.ndarray, "U"]:
    """Return the score of one item for each history, each of at least one item."""
    scores = []
    for begin in range(0, len(histories), ranker.batch_size):
        users = ranker.states(histories, np.arange(begin, min(begin + ranker.batch_size, len(histories))))
        rows_B1 = torch.full((min(ranker.batch_size, len(histories) - begin), 1), item, device=ranker.device)
        parts_BJ = ranker.contributions(users, rows_B1)[:, 0]
        scores.append(parts_BJ.double().sum(1).cpu().numpy())
    return np.concatenate(scores)


def effects_of(
    ranker: CatalogueRanker, history: IntArray, item: int, score: float
) -> dict[int, float | None]:
    """Return for each distinct item of a history the score minus the score without the item.

    Items before the last `max_length` do not reach the model: their effect is 0.
    """
    rows = [int(row) for row in dict.fromkeys(history.tolist())]
    effects: dict[int, float | None] = dict.fromkeys(rows, 0.0)
    if len(rows) == 1:
        return {rows[0]: None}
    read = set(history[-ranker.max_length :].tolist())
    without = [row for row in rows if row in read]
    lists = [history[history != row][-ranker.max_length :].tolist() for row in without]
    scores = scores_of(ranker, Histories.from_lists(lists), item)
    return effects | {row: score - float(found) for row, found in zip(without, scores, strict=True)}


def _has_own_id(ranker: CatalogueRanker, item: int) -> bool:
    models = [one.model for _, one in ranker.members]
    row = torch.tensor(item, device=ranker.device)
    return not any(model.has_unknown_ids and bool(model.items.without_id(row)) for model in models)


def _past_items(
    ranker: CatalogueRanker, history: IntArray, item: int, score: float, name: Name
) -> list[PastItem]:
    found = []
    for row, effect in effects_of(ranker, history, item, score).items():
        item_id, title = name(row)
        found.append(PastItem(item_id=item_id, title=title, effect=effect))
    return found


def _score_without(ranker: CatalogueRanker, history: IntArray, item: int, modality: str) -> float:
    """Return the score if no item of the history, nor the scored one, has a modality."""
    scores = [factor * _score_of_one(one, history, item, modality) for factor, one in ranker.members]
    return sum(scores)


def _score_of_one(ranker: Ranker, history: IntArray, item: int, modality: str) -> float:
    model = ranker.model
    items_P = torch.from_numpy(history[-model.max_length :].copy()).to(model.device)
    rows_11 = torch.full((1, 1), item, device=model.device)
    items = model.item_set(items_P, rows_11)
    if modality in model.items.modalities:
        items = hide(model, items, modality)
    reading = model.read(items_P, torch.tensor([len(items_P)], device=model.device), items=items)
    return float(model.contributions(model.encode_last(reading), rows_11, items).double().sum())


def say(found: Explanation) -> str:
    """Return the largest part and the largest effects in one sentence, if they raise the score."""
    titles = {past.item_id: past.title or past.item_id for past in found.history}
    says = []
    parts = {name: part for name, part in found.contributions.items() if found.own_id or name != "id"}
    part = max(parts, key=lambda name: parts[name], default="")
    if len(found.contributions) > 1 and parts and parts[part] > 0:
        besides = (
            "" if found.own_id else f" besides the usual id ({found.contributions['id']:.2f}) of new items"
        )
        says.append(f"its largest part{besides} is {part} ({parts[part]:.2f})")
    if found.because is not None:
        effect = next(past.effect for past in found.history if past.item_id == found.because)
        says.append(f"it would be {effect:.2f} lower without {titles[found.because]} in the history")
    modality = max(found.modalities, key=lambda name: found.modalities[name], default=None)
    if modality is not None and found.modalities[modality] > 0:
        says.append(f"it would be {found.modalities[modality]:.2f} lower without any {modality}")
    if not says:
        says = ["no part, past item or modality raises it"]
    reasons = ", and ".join([", ".join(says[:-1]), says[-1]]) if len(says) > 1 else says[0]
    return f"{found.title or found.item_id} has the score {found.score:.2f}: {reasons}."
