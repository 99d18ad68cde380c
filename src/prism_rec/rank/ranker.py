"""Scores of the whole catalogue for users, without the items that they have seen: the only place that masks."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.data.histories import Histories, ranges
from prism_rec.model import SequenceRecommender, UserStates
from prism_rec.rank.ordering import best, rank_of


class Ranks(NamedTuple):
    """The answers to Q next-item questions, one row each, in the order of the questions."""

    ranks: np.ndarray  # int64 [Q], 1-based
    top: np.ndarray  # int64 [Q, k], best first; 0 if no item is left


class RanksItems(Protocol):
    """Anything that ranks the catalogue: `Ranker` by a model, `PopularityRanker` by counts."""

    def rank(self, histories: Histories, targets: np.ndarray, k: int = 0) -> Ranks:
        """Rank each history's target among all items except those of the history."""


class Ranker:
    """Ranks the catalogue for any number of users; the catalogue's components are computed once, here.

    The model is put into evaluation mode, so that the answers are deterministic.

    Args:
        model: gives the scores; it reads the latest `max_length` items of a history.
        batch_size: users at once.
    """

    def __init__(self, model: SequenceRecommender, batch_size: int = 256) -> None:
        self.model = model.eval()
        self.batch_size = batch_size
        with torch.no_grad():
            self.items = model.item_set()
            self.groups = model.keys(self.items)

    @torch.no_grad()
    def rank(self, histories: Histories, targets: np.ndarray, k: int = 0) -> Ranks:
        """Rank each history's target among all items except those of the history.

        A target that is in its own history stays a candidate, because the question asks for it.

        Args:
            histories: Q histories, each of at least one item.
            targets: int64 [Q].
            k: number of best items to return as well.
        """
        ranks = np.empty(len(histories), np.int64)
        top = np.zeros((len(histories), k), np.int64)
        for begin in range(0, len(histories), self.batch_size):
            questions = np.arange(begin, min(begin + self.batch_size, len(histories)))
            scores_BN = self.scores(self.states(histories, questions))
            targets_B = self._tensor(targets[questions])
            own_B1 = scores_BN.gather(1, targets_B[:, None])
            self.mask_seen(scores_BN, histories, questions)
            scores_BN.scatter_(1, targets_B[:, None], own_B1)
            ranks[questions] = rank_of(scores_BN, targets_B).cpu().numpy()
            if k:
                top[questions] = self.best(scores_BN, k)[1]
        return Ranks(ranks, top)

    @torch.no_grad()
    def states(self, histories: Histories, questions: np.ndarray) -> UserStates:
        """Return state and weights after the last item of some of the histories."""
        lengths = np.minimum(histories.lengths[questions], self.model.max_length)
        items = histories.items[ranges(histories.offsets[questions + 1] - lengths, lengths)]
        reading = self.model.read(self._tensor(items), self._tensor(lengths), items=self.items)
        return self.model.encode_last(reading)

    @torch.no_grad()
    def scores(self, users: UserStates) -> Float[Tensor, "B N"]:
        """Score every catalogue row; row 0, padding, is -inf."""
        scores_BN = users.states.new_empty(len(users.states), len(self.items.rows_I))
        scores_BN[:, 0] = -torch.inf
        for group in self.groups:
            query_BK = self.model.queries(users, group)
            if len(self.groups) == 1:
                torch.mm(query_BK, group.keys_IK.T, out=scores_BN[:, 1:])
            else:
                scores_BN[:, group.rows_I] = query_BK @ group.keys_IK.T
        scattered = self.model.scattered(users)
        if scattered is not None:
            scattered.add_to(scores_BN)
        return scores_BN

    def mask_seen(self, scores_BN: Float[Tensor, "B N"], histories: Histories, questions: np.ndarray) -> None:
        """Set the items of each whole history to -inf, in place."""
        lengths = histories.lengths[questions]
        users = np.repeat(np.arange(len(questions)), lengths)
        seen = histories.items[ranges(histories.offsets[questions], lengths)]
        scores_BN[self._tensor(users), self._tensor(seen)] = -torch.inf

    def keep_only(self, scores_BN: Float[Tensor, "B N"], rows: np.ndarray) -> None:
        """Set all but the given rows to -inf, in place."""
        left_out_N = torch.ones(scores_BN.shape[1], dtype=torch.bool, device=scores_BN.device)
        left_out_N[self._tensor(rows)] = False
        scores_BN[:, left_out_N] = -torch.inf

    def best(self, scores_BN: Float[Tensor, "B N"], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k best scores and rows; if fewer than k are left, the score is -inf and the row 0."""
        values_Bk, rows_Bk = best(scores_BN, k)
        rows_Bk[values_Bk == -torch.inf] = 0
        missing = max(0, k - rows_Bk.shape[1])
        return (
            np.pad(values_Bk.cpu().numpy(), ((0, 0), (0, missing)), constant_values=-np.inf),
            np.pad(rows_Bk.cpu().numpy(), ((0, 0), (0, missing))),
        )

    def _tensor(self, values: np.ndarray) -> Int[Tensor, "..."]:
        return torch.from_numpy(values).to(self.model.device)
