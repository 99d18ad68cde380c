"""How a gate weighs the components of items."""

import numpy as np
import torch
from jaxtyping import Float64

from prism_rec.config import Config
from prism_rec.data.histories import Histories
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker

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
def weigh(model: SequenceRecommender, histories: Histories, batch_size: int) -> GateWeights | None:
    """Return the weights of a model's gate after each history.

    Args:
        model: left in evaluation mode.
        histories: each of at least one item, such as those of the test questions.
        batch_size: number of histories at once.

    Returns:
        The weights; None if the model has no gate that depends on the user.
    """
    if not model.fusion.personal:
        return None
    columns = _weights(Ranker(model, batch_size), histories).T
    return GateWeights(
        components=model.fusion.component_names,
        mean=tuple(columns.mean(1).tolist()),
        quantiles=tuple(np.quantile(columns, QUANTILES, axis=1).T.tolist()),
        histogram=tuple(np.histogram(column, BINS, (0, 1))[0].tolist() for column in columns),
    )


def mean_weights(ranker: Ranker, histories: Histories) -> dict[str, float]:
    """Return the mean weight of each component after the whole histories of at most 1,000 users, evenly chosen.

    Every weight is 1 if the model has no gate that depends on the user, or no history has an item.
    """
    names, users = ranker.model.fusion.component_names, np.flatnonzero(histories.lengths > 0)
    if not ranker.model.fusion.personal or not len(users):
        return dict.fromkeys(names, 1.0)
    chosen = users[np.linspace(0, len(users) - 1, min(MOST_USERS, len(users))).astype(int)]
    some = histories.prefixes(chosen, histories.lengths[chosen])
    return dict(zip(names, _weights(ranker, some).mean(0).tolist(), strict=True))


@torch.no_grad()
def _weights(ranker: Ranker, histories: Histories) -> Float64[np.ndarray, "U J"]:
    rows = np.arange(len(histories))
    parts = [
        ranker.states(histories, rows[begin : begin + ranker.batch_size]).weights.cpu().numpy()
        for begin in range(0, len(rows), ranker.batch_size)
    ]
    return np.concatenate(parts).astype(np.float64)
