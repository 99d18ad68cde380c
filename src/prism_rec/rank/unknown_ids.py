"""The id term of candidates that have no id that counts: items without training events, and those that come later."""

import numpy as np
import torch

from prism_rec.data.histories import Histories
from prism_rec.model import SequenceRecommender
from prism_rec.rank.ranker import Ranker

MOST_USERS = 500
BEST = 10


@torch.no_grad()
def usual_id_term(model: SequenceRecommender, histories: Histories) -> float:
    """Return the mean id term of the 10 best items of at most 500 users, evenly chosen.

    Ids of known items lift what a model recommends. A candidate whose term is 0 hardly ever gets past them, however
    well its content fits; with the usual term of recommended items, it competes by its content.

    Args:
        model: its `unknown_id` is set to 0.
        histories: of the training.

    Returns:
        The mean; 0 if ids always count or candidates are not scored by content, or if no history has an item.
    """
    model.items.unknown_id.zero_()
    users = np.flatnonzero(histories.lengths > 0)
    if not (model.content and model.items.id_events and len(users)):
        return 0.0
    chosen = users[np.linspace(0, len(users) - 1, min(MOST_USERS, len(users))).astype(int)]
    some = histories.prefixes(chosen, histories.lengths[chosen])
    ranker, terms = Ranker(model), []
    for questions, states, scores_BN in ranker.scored(some):
        ranker.mask_seen(scores_BN, some, questions)
        rows_Bk = torch.from_numpy(ranker.best(scores_BN, BEST)[1]).to(model.device)
        terms.append(ranker.contributions(states, rows_Bk)[..., 0][rows_Bk > 0])
    found = torch.cat(terms)
    return float(found.double().mean()) if len(found) else 0.0
