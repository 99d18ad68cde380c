"""Next-item questions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prism_rec.data.histories import Histories, IntArray

FEW = 100
"""With fewer questions, one user moves Recall by more than .01."""


@dataclass(frozen=True, eq=False)
class Queries:
    """Next-item questions, one per row.

    Attributes:
        users: int64 [Q], the user of each question; each user at most once.
        histories: Q histories, each what the user did before the target; never empty.
        targets: int64 [Q], the catalogue row of the item to find.
        candidates: the catalogue rows that are ranked; None: every item.
    """

    users: IntArray
    histories: Histories
    targets: IntArray
    candidates: IntArray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, begin: int, end: int) -> "Queries":
        """Return the questions from one row to another."""
        histories, offsets = self.histories, self.histories.offsets[begin : end + 1]
        items = histories.items[offsets[0] : offsets[-1]]
        return Queries(
            self.users[begin:end],
            Histories(items, offsets - offsets[0]),
            self.targets[begin:end],
            self.candidates,
        )

    @property
    def repeated(self) -> npt.NDArray[np.bool_]:
        """Whether each target is in its own history, bool [Q]."""
        asked = np.repeat(np.arange(len(self.targets)), self.histories.lengths)
        found = asked[self.histories.items == self.targets[asked]]
        return np.bincount(found, minlength=len(self.targets)) > 0

    @property
    def repeated_share(self) -> float:
        """The share of targets that are in their own history; 0 if there are no questions."""
        return float(self.repeated.mean()) if len(self.targets) else 0.0


def say_few(number: int, part: str) -> str | None:
    """Return one line for people on a part with few questions; None if it has none or enough.

    Args:
        number: its questions.
        part: `validation` or `test`.
    """
    if not 0 < number < FEW:
        return None
    effect = "the choice of epochs and settings" if part == "validation" else "a difference between models"
    return f"{part} has {number} questions, so that one user moves recall by {1 / number:.3f}: {effect} may be chance"
