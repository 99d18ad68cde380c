"""Several models rank as one: the score is a weighted sum of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.data.histories import Histories
from prism_rec.model import UserStates
from prism_rec.rank.ranker import CatalogueRanker, Ranker


@dataclass(frozen=True)
class EnsembleStates:
    """The same users as each model knows them."""

    of_members: tuple[UserStates, ...]

    def take(self, rows: slice) -> "EnsembleStates":
        """Return some of the users."""
        return EnsembleStates(tuple(users.take(rows) for users in self.of_members))


class EnsembleRanker(CatalogueRanker):
    """Ranks the catalogue by several models.

    The score is sum_r factor_r * score_r. Components of the same name in several models are one component.

    Args:
        members: for each model a factor above 0 and its ranker, of the same catalogue on the same device.
    """

    def __init__(self, members: Sequence[tuple[float, Ranker]]) -> None:
        self.members = tuple(members)
        rankers = [ranker for _, ranker in members]
        first = rankers[0]
        self.batch_size, self.seen = first.batch_size, first.seen
        self.number_of_items, self.device, self.dtype = first.number_of_items, first.device, first.dtype
        self.max_length = max(ranker.max_length for ranker in rankers)
        self.component_names = tuple(
            dict.fromkeys(name for ranker in rankers for name in ranker.component_names)
        )
        self._work_BN: Tensor | None = None

    def states(self, histories: Histories, questions: np.ndarray) -> EnsembleStates:
        """Return the states of the users in each model."""
        return EnsembleStates(tuple(ranker.states(histories, questions) for _, ranker in self.members))

    def of_members(self, users: EnsembleStates) -> Sequence[UserStates]:
        """Return the states of each model."""
        return users.of_members

    @torch.no_grad()
    def scores(self, users: EnsembleStates, out_BN: Tensor | None = None) -> Float[Tensor, "B N"]:
        """Score every catalogue row; row 0, padding, is -inf."""
        size = len(users.of_members[0].states), self.number_of_items + 1
        total_BN = torch.empty(size, device=self.device, dtype=self.dtype) if out_BN is None else out_BN
        if self._work_BN is None or len(self._work_BN) < size[0]:
            self._work_BN = torch.empty_like(total_BN)
        total_BN.zero_()
        for (factor, ranker), states in zip(self.members, users.of_members, strict=True):
            total_BN.add_(ranker.scores(states, self._work_BN[: size[0]]), alpha=factor)
        return total_BN

    @torch.no_grad()
    def contributions(self, users: EnsembleStates, rows_BC: Int[Tensor, "B C"]) -> Float[Tensor, "B C J"]:
        """Return the contribution of each component to the score of each candidate, over all models."""
        total_BCJ = torch.zeros(
            *rows_BC.shape, len(self.component_names), device=self.device, dtype=self.dtype
        )
        for (factor, ranker), states in zip(self.members, users.of_members, strict=True):
            place_J = [self.component_names.index(name) for name in ranker.component_names]
            total_BCJ[..., place_J] += factor * ranker.contributions(states, rows_BC)
        return total_BCJ
