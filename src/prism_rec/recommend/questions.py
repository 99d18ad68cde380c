"""For whom items are recommended: users of the data, or histories, known in part or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.recommend.ids import Ids, texts

HistoriesGiven = Mapping[str, Sequence[str]] | Iterable[Sequence[str]]


class Questions(NamedTuple):
    """Users and what they did."""

    users: list[str]
    """Any ids, known to the data or not."""
    histories: Histories
    """One per user, of known items only; empty if none is known."""

    def with_items(self) -> "Questions":
        """Return the users whose history has an item."""
        places = np.flatnonzero(self.histories.lengths > 0)
        lengths = self.histories.lengths[places]
        return Questions([self.users[place] for place in places], self.histories.prefixes(places, lengths))


def of_users(users: Iterable[str], known: Ids, histories: Histories, events: Events) -> Questions:
    """Return the whole histories of users; that of an unknown user is empty, and a note counts them."""
    ids = texts(users, "users")
    rows = np.array([known.row_of.get(user, -1) for user in ids], np.int64)
    unknown = np.flatnonzero(rows < 0)
    if len(unknown):
        events.note(f"note: {len(unknown)} of {len(ids)} users are unknown, first {ids[unknown[0]]!r}")
    lengths = histories.lengths[rows] if len(histories) else np.zeros(len(ids), np.int64)
    lengths[unknown] = 0
    return Questions(ids, histories.prefixes(np.maximum(rows, 0), lengths))


def of_histories(given: HistoriesGiven, items: Ids, events: Events) -> Questions:
    """Return histories without the items that are unknown; a note counts these.

    Args:
        given: item ids by user; or a list of them, in which case the places from 0 are the user ids.
        items: of the catalogue.
        events: hears the note.

    Raises:
        InputError: a history is one string.
    """
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
    users, found, unknown = [], [], []
    for user, history in pairs:
        if isinstance(history, str):
            raise InputError(f"the history of user {user} is one string; give a list of item ids")
        ids = texts(history if history is not None else (), f"the history of user {user}")
        users.append(str(user))
        found.append(items.known_rows(ids).tolist())
        unknown += [item for item in ids if item not in items.row_of]
    if unknown:
        events.note(
            f"note: {len(unknown)} items of the histories are unknown, first {unknown[0]!r}; left out"
        )
    return Questions(users, Histories.from_lists(found))
