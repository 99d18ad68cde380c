"""For whom items are recommended: users of the data, or histories, known in part or not at all."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.inputs import column_of, ids_from, show
from prism_rec.recommend.ids import Ids

HistoriesGiven = Mapping[str, Sequence[str]] | Iterable[Sequence[str]]


class Questions(NamedTuple):
    """Users and their histories."""

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
    ids = ids_from(users, "users", "user_id")
    rows = np.array([known.row_of.get(user, -1) for user in ids], np.int64)
    unknown = np.flatnonzero(rows < 0)
    if len(unknown):
        first = known.first([ids[unknown[0]]])
        events.note(f"note: {len(unknown)} of {len(ids)} users are unknown, {first}")
    lengths = histories.lengths[rows] if len(histories) else np.zeros(len(ids), np.int64)
    lengths[unknown] = 0
    return Questions(ids, histories.prefixes(np.maximum(rows, 0), lengths))


def of_histories(given: HistoriesGiven, items: Ids, events: Events) -> Questions:
    """Return histories without the items that are unknown; a note counts these.

    Args:
        given: item ids by user; or a list of them, in which case the places from 0 are the user ids; or a frame with
            the column `history` and perhaps `user_id`; or a series, whose index has the users.
        items: of the catalogue.
        events: hears the note.

    Raises:
        InputError: a history is not a list of ids.
    """
    users, lists = _users_and_lists(given)
    found, unknown = [], []
    for user, history in zip(users, lists, strict=True):
        ids = ids_from(history, f"the history of user {user}")
        found.append(items.known_rows(ids).tolist())
        unknown += [item for item in ids if item not in items.row_of]
    if unknown:
        events.note(f"note: unknown items in the histories: {len(unknown)}, {items.first(unknown)}; left out")
    return Questions(users, Histories.from_lists(found))


def _users_and_lists(given: Any) -> tuple[list[str], list[Any]]:
    """Return the users of histories, and the lists of items as they were given."""
    column = column_of(given, "history")
    if column is not None:
        lists = list(column)
        users = column_of(given, "user_id")
        return _places(lists) if users is None else ids_from(users, "users"), lists
    is_series = hasattr(given, "items") and hasattr(given, "index") and not hasattr(given, "columns")
    if isinstance(given, Mapping) or is_series:  # the index of a pandas series has the users
        users = ids_from(list(given.keys()), "the users of histories")
        return users, [history for _, history in given.items()]
    if hasattr(given, "columns") or isinstance(given, str | bytes | Set) or not isinstance(given, Iterable):
        raise InputError(
            f"histories: given is {show(given)}; give lists of item ids, by user or in a list, or a frame with "
            "the columns user_id and history"
        )
    lists = list(given)
    return _places(lists), lists


def _places(lists: list[Any]) -> list[str]:
    """Return the places of histories from 0, which are the ids of users that have no other."""
    return [str(place) for place in range(len(lists))]


def require_k(k: int) -> None:
    """Refuse to return no item.

    Raises:
        InputError: k is below one.
    """
    if k < 1:
        raise InputError(f"k is {k}; ask for at least one item")
