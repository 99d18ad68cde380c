"""Fields of metadata as text and lists of text, whatever the line holds in their place."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from prism_rec.data.sources.faults import Faults
from prism_rec.data.sources.records import UnreadableError

T = TypeVar("T")


@dataclass(frozen=True)
class Fields:
    """The fields of one line, by name; those that cannot be used are noted."""

    values: Mapping[str, Any]
    line: int
    faults: Faults

    def read(self, name: str, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of a field; if it cannot, what it makes of None, as of a missing field."""
        try:
            return read(self.values.get(name))
        except UnreadableError as reason:
            self.faults.leave_empty(self.line, f"{name}: {reason}")
            return read(None)


def words(value: Any) -> list[str]:
    """Return a text, a number or a list of them as a list of texts, without empty ones.

    HTML's `&amp;` and the like become the characters that they stand for, runs of white space one space.

    Raises:
        UnreadableError: something is nested deeper.
    """
    spaced = (" ".join(html.unescape(text).split()) for text in plain_texts(value))
    return [text for text in spaced if text]


def sentence(value: Any) -> str | None:
    """Return `words` joined by spaces, None where there are none."""
    return " ".join(words(value)) or None


def first_path(value: Any) -> list[str]:
    """Return the `words` of the first of several lists, such as paths of categories, or of the only one."""
    several = isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple)
    return words(value[0] if several else value)


def plain_texts(value: Any) -> list[str]:
    """Return a text, a number or a list of them as a list of texts, as they are, without empty ones.

    Raises:
        UnreadableError: something is nested deeper.
    """
    parts = value if isinstance(value, list | tuple) else [value]
    for part in parts:
        if not isinstance(part, str | int | float | None):
            raise UnreadableError(f"{_kind(part)} where text is expected")
    texts = [str(part) for part in parts if part is not None and not isinstance(part, bool)]
    # Half a surrogate pair is no Unicode and could not be stored.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts if text]


def _kind(value: Any) -> str:
    return (
        "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "something else"
    )
