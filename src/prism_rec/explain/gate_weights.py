"""How a gate weighs the components of items."""

import numpy as np
import torch
from jaxtyping import Float64

from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.rank import CatalogueRanker

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20
MOST_USERS = 1_000


class GateWeights(Config):
    """The weights of the J components after each user's last item, as J lists over the users."""

    components: tuple[str, ...]
    """Names of the J components."""
    mean: tuple[float, ...]
    """The mean weight of each component."""
    quantiles: tuple[tuple[float, ...], ...]
    """For each component, the weights at 5, 25, 50, 75 and 95 % of the users."""
    histogram: tuple[tuple[int, ...], ...]
    """For each component, the number of users with a weight in each twentieth of 0 to 1."""


@torch.inference_mode()
def weigh(ranker: CatalogueRanker, histories: Histories) -> GateWeights | None:
    """Return the weights of a gate after each history.

    Args:
        ranker: of one model or several.
        histories: each of at least one item, such as those of the test questions.

    Returns:
        The weights; None if no model has a gate that depends on the user.
    """
    if not weighs_users(ranker):
        return None
    columns = _weights(ranker, histories).T
    return GateWeights(
        components=weighed_components(ranker),
        mean=tuple(columns.mean(1).tolist()),
        quantiles=tuple(np.quantile(columns, QUANTILES, axis=1).T.tolist()),
        histogram=tuple(np.histogram(column, BINS, (0, 1))[0].tolist() for column in columns),
    )


def mean_weights(ranker: CatalogueRanker, histories: Histories) -> dict[str, float]:
    """Return the mean weight of each component after the whole histories of at most 1,000 users, evenly chosen.

    Every weight is 1 if no model has a gate that depends on the user, or no history has an item.
    """
    names, users = weighed_components(ranker), np.flatnonzero(histories.lengths > 0)
    if not weighs_users(ranker) or not len(users):
        return dict.fromkeys(names, 1.0)
    chosen = users[np.linspace(0, len(users) - 1, min(MOST_USERS, len(users))).astype(int)]
    some = histories.prefixes(chosen, histories.lengths[chosen])
    return dict(zip(names, _weights(ranker, some).mean(0).tolist(), strict=True))


def weighed_components(ranker: CatalogueRanker) -> tuple[str, ...]:
    """Return the components that gates weigh, of all models."""
    return tuple(
        dict.fromkeys(name for _, one in ranker.members for name in one.model.fusion.component_names)
    )


def weights_of(
    ranker: CatalogueRanker, histories: Histories, questions: np.ndarray
) -> Float64[np.ndarray, "U J"]:
    """Return the weights of `weighed_components` after some of the histories.

    If several models have a component, its weight is the mean of theirs.
    """
    names = weighed_components(ranker)
    sum_UJ, models_J = np.zeros((len(questions), len(names))), np.zeros(len(names))
    for _, one in ranker.members:
        place_J = [names.index(name) for name in one.model.fusion.component_names]
        weights_UJ = one.states(histories, questions).weights.double().cpu().numpy()
        sum_UJ[:, place_J] += weights_UJ[:, : len(place_J)]
        models_J[place_J] += 1
    return sum_UJ / models_J


def weighs_users(ranker: CatalogueRanker) -> bool:
    """Return whether any model has a gate that depends on the user."""
    return any(one.model.fusion.personal for _, one in ranker.members)


@torch.no_grad()
def _weights(ranker: CatalogueRanker, histories: Histories) -> Float64[np.ndarray, "U J"]:
    rows = np.arange(len(histories))
    parts = [
        weights_of(ranker, histories, rows[begin : begin + ranker.batch_size])
        for begin in range(0, len(rows), ranker.batch_size)
    ]
    return np.concatenate(parts)
