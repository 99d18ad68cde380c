"""Fields of metadata as text and lists of text, whatever value the line has there."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from prism_rec.data.sources.lines.reader import LineReader
from prism_rec.data.sources.lines.records import UnreadableError

T = TypeVar("T")


@dataclass(frozen=True)
class Fields:
    """The fields of one line, by name; unusable ones are reported to the reader."""

    values: Mapping[str, Any]
    line: int
    reader: LineReader

    def read(self, name: str, read: Callable[[Any], T]) -> T:
        """Return `read` of a field; if it cannot use the value, `read(None)`, as for a missing field."""
        try:
            return read(self.values.get(name))
        except UnreadableError as reason:
            self.reader.leave_empty(self.line, f"{name}: {reason}")
            return read(None)


def words(value: Any) -> list[str]:
    """Return a text, a number or a list of them as a list of texts, without empty ones.

    HTML's `&amp;` and the like are replaced by their characters, runs of white space by one space.

    Raises:
        UnreadableError: the value is nested deeper.
    """
    spaced = (" ".join(html.unescape(text).split()) for text in plain_texts(value))
    return [text for text in spaced if text]


def sentence(value: Any) -> str | None:
    """Return `words` joined by spaces; None if there are none."""
    return " ".join(words(value)) or None


def first_path(value: Any) -> list[str]:
    """Return the `words` of the first of several lists, such as paths of categories, or of the only list."""
    several = isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple)
    return words(value[0] if several else value)


def plain_texts(value: Any) -> list[str]:
    """Return a text, a number or a list of them as a list of texts, unchanged, without empty ones.

    Raises:
        UnreadableError: the value is nested deeper.
    """
    parts = value if isinstance(value, list | tuple) else [value]
    for part in parts:
        if not isinstance(part, str | int | float | None):
            raise UnreadableError(f"expected text, found {_kind(part)}")
    texts = [str(part) for part in parts if part is not None and not isinstance(part, bool)]
    # Half a surrogate pair is not Unicode and could not be stored.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts if text]


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "another type"
