"""How a gate weighs the components of items."""

import numpy as np
import torch

from prism_rec.config import Config
from prism_rec.data.dataset import Queries
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20


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
def weigh(model: SequenceRecommender, questions: Queries, batch_size: int) -> GateWeights | None:
    """Return the weights of a model's gate after the history of each question.

    Args:
        model: left in evaluation mode.
        questions: next-item questions, such as those of the test part.
        batch_size: number of histories at once.

    Returns:
        The weights; None if the model has no gate that depends on the user.
    """
    if not model.fusion.personal:
        return None
    ranker = Ranker(model, batch_size)
    rows = np.arange(len(questions.users))
    parts = [
        ranker.states(questions.histories, rows[begin : begin + batch_size]).weights.cpu().numpy()
        for begin in range(0, len(rows), batch_size)
    ]
    columns = np.concatenate(parts).astype(np.float64).T
    return GateWeights(
        components=model.fusion.component_names,
        mean=tuple(columns.mean(1).tolist()),
        quantiles=tuple(np.quantile(columns, QUANTILES, axis=1).T.tolist()),
        histogram=tuple(np.histogram(column, BINS, (0, 1))[0].tolist() for column in columns),
    )
