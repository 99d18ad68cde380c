"""Many users' histories as one flat array, so that cutting and gathering them is index arithmetic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Histories:
    """Many users' item rows as one flat array with offsets.

    User u's history is `items[offsets[u]:offsets[u + 1]]`, oldest first; it may be empty.

    Attributes:
        items: int64 [E], catalogue rows 1..N (0 is padding and never occurs here).
        offsets: int64 [U + 1], from 0 to E.
    """

    items: IntArray
    offsets: IntArray

    @classmethod
    def from_lists(cls, lists: Iterable[Sequence[int]]) -> "Histories":
        """Make histories from one sequence of catalogue rows per user."""
        rows = [np.asarray(row, dtype=np.int64) for row in lists]
        items = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        return cls(items, _offsets(np.array([len(row) for row in rows], np.int64)))

    @classmethod
    def from_users(cls, users: IntArray, items: IntArray, number_of_users: int) -> "Histories":
        """Make histories from events sorted by user: `users[e]` is the user 0..U-1 of event e."""
        return cls(items, _offsets(np.bincount(users, minlength=number_of_users)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> IntArray:
        if not -len(self) <= user < len(self):
            raise IndexError(f"user {user} of {len(self)}")
        user %= len(self)
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    @property
    def lengths(self) -> IntArray:
        """Number of items of every history, int64 [U]."""
        return np.diff(self.offsets)

    def prefixes(self, users: IntArray, ends: IntArray) -> "Histories":
        """Return one history per row: that of `users[i]`, cut to its first `ends[i]` items.

        Args:
            users: int64 [R], any users in any order; a user may occur several times.
            ends: int64 [R], from 0 to the length of that user's history.
        """
        return Histories(self.items[ranges(self.offsets[users], ends)], _offsets(ends))

    def counts(self, number_of_items: int) -> IntArray:
        """Return how many events each catalogue row has, int64 [N + 1]; row 0, padding, has none."""
        return np.bincount(self.items, minlength=number_of_items + 1)


def ranges(begins: IntArray, lengths: IntArray) -> IntArray:
    """Return begins[0], begins[0] + 1, ... (lengths[0] numbers), then those from begins[1], and so on: int64 [P].

    With this, a batch of histories is one index operation: `histories.items[ranges(begins, lengths)]`. For instance,
    begins [7, 2] and lengths [3, 2] give [7, 8, 9, 2, 3].
    """
    shifts = begins - (np.cumsum(lengths) - lengths)
    return np.repeat(shifts, lengths) + np.arange(lengths.sum())


def _offsets(lengths: IntArray) -> IntArray:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
