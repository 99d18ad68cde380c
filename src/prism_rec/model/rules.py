"""What other users took after the latest items of a history: sequential rules (Ludewig and Jannach, UMUAI 2018)."""

import torch
from jaxtyping import Int
from torch import Tensor, nn

from prism_rec.data.histories import Histories
from prism_rec.data.sequential_rules import item_scales, rules_of, strongest
from prism_rec.model.lags import PACE, first_decay
from prism_rec.nn.sparse import Scattered

_FIRST = 4.0
"""First weight of the latest item."""


class SequentialRules(nn.Module):
    """A term of the score: sum over lags l of a_l * rule(l-th latest item, candidate).

    Rules are defined in `data/sequential_rules.py`. Only the k strongest of each item count. They are counted when
    training begins; the weights a_l are learned. While they are learned, the events of a user's own history do not
    count for this user: otherwise every answer would be known.

    Args:
        number_of_items: N.
        neighbours: k.
        lags: L, number of latest items whose rules count.
        window: W, how far behind an item others count as its followers.
    """

    near_Nk: Tensor
    values_Nk: Tensor
    scale_N: Tensor

    def __init__(self, number_of_items: int, neighbours: int, lags: int, window: int) -> None:
        super().__init__()
        rows = number_of_items + 1
        self.window = window
        self.register_buffer("near_Nk", torch.zeros(rows, neighbours, dtype=torch.int32))
        self.register_buffer("values_Nk", torch.zeros(rows, neighbours))
        self.register_buffer("scale_N", torch.ones(rows), persistent=False)
        self.weights_L = nn.Parameter(_FIRST / PACE * first_decay(lags))

    @property
    def lags(self) -> int:
        """L, number of latest items whose rules count."""
        return len(self.weights_L)

    @torch.no_grad()
    def learn(self, histories: Histories) -> None:
        """Count the rules.

        Args:
            histories: training histories, without any validation or test item.
        """
        rows, k = self.near_Nk.shape
        near, values = strongest(rules_of(histories, rows - 1, self.window), k)
        self.near_Nk.copy_(torch.from_numpy(near))
        self.values_Nk.copy_(torch.from_numpy(values))
        self.scale_N.copy_(torch.from_numpy(item_scales(histories, rows - 1)))

    def forward(self, recent_PL: Int[Tensor, "P L"], own_PLW: Int[Tensor, "P L W"]) -> Scattered:
        """Return what is added to the scores of which items.

        Args:
            recent_PL: catalogue rows of the latest items, the latest first; 0 if the history is shorter.
            own_PLW: in training, the items that follow each of these in the same history, in order; 0 if there is none.
                Otherwise W is 0.
        """
        weights_L1 = (PACE * self.weights_L)[:, None]
        near_PLk = self.near_Nk[recent_PL].long()
        columns = torch.cat([near_PLk, own_PLW], -1)
        values = torch.cat([self.values_Nk[recent_PL], -self._own_share(recent_PL, near_PLk, own_PLW)], -1)
        added = values.to(weights_L1.dtype) * weights_L1
        return Scattered(columns.flatten(1), added.flatten(1))

    def by_lag(self) -> tuple[Tensor, Tensor]:
        """Return for each item the items of its rules, [N, k], and what each lag adds to their scores, [N, L, k]."""
        return self.near_Nk.long(), (PACE * self.weights_L)[:, None] * self.values_Nk[:, None]

    def _own_share(
        self, recent_PL: Int[Tensor, "P L"], near_PLk: Int[Tensor, "P L k"], own_PLW: Int[Tensor, "P L W"]
    ) -> Tensor:
        """Return how much of the rule to each follower is the user's own; 0 if it is not among the k strongest."""
        window = own_PLW.shape[-1]
        if window == 0:
            return self.values_Nk.new_zeros(own_PLW.shape)
        steps_W = 1 / torch.arange(1, window + 1, device=own_PLW.device)
        counted = torch.stack([(near_PLk == one).any(-1) for one in own_PLW.split(1, -1)], -1)
        share = steps_W * self.scale_N[recent_PL][..., None] * self.scale_N[own_PLW]
        return share * (counted & (own_PLW > 0))
