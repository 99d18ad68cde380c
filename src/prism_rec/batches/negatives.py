"""Items that a user did not choose, drawn on the device and rejected many at a time."""

import torch
from jaxtyping import Int
from torch import Tensor

from prism_rec.data.histories import Histories


class NegativeSampler:
    """Draws items uniformly from the catalogue, none of them from the user's training history.

    Items of validation and test can be drawn: training must not know them.

    Args:
        histories: training histories.
        number_of_items: N; rows 1..N are drawn.
        device: draws the items.
    """

    # A user who has nearly every item could be drawn for without end. After this many rounds the draws are kept.
    ROUNDS = 20

    def __init__(self, histories: Histories, number_of_items: int, device: torch.device) -> None:
        self.number_of_items = number_of_items
        users = torch.arange(len(histories)).repeat_interleave(torch.from_numpy(histories.lengths))
        taken = users * (number_of_items + 1) + torch.from_numpy(histories.items)
        self.taken = taken.unique().to(device)  # sorted, one number per pair (user, item)

    def draw(self, users_P: Int[Tensor, " P"], count: int) -> Int[Tensor, "P C"]:
        """Return `count` items for each of P users."""
        items_PC = self._uniform((len(users_P), count))
        for _ in range(self.ROUNDS):
            taken_PC = self._is_taken(users_P, items_PC)
            if not taken_PC.any():
                break
            items_PC[taken_PC] = self._uniform((int(taken_PC.sum()),))
        return items_PC

    def _uniform(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randint(1, self.number_of_items + 1, shape, device=self.taken.device)

    def _is_taken(self, users_P: Tensor, items_PC: Tensor) -> Tensor:
        keys = users_P[:, None] * (self.number_of_items + 1) + items_PC
        places = torch.searchsorted(self.taken, keys).clamp(max=len(self.taken) - 1)
        return self.taken[places] == keys
