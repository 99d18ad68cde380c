"""One line to one record: JSON or a Python literal; an error says in a few words what is wrong.

If a JSON object has a field twice, the first counts.
"""

import json
from collections.abc import Mapping
from typing import Any

from prism_rec.data.sources.lines.literals import parse_literal


class UnreadableError(ValueError):
    """A line, or one of its fields, cannot be used; the message says why in a few words."""


def parse_json(line: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a line.

    Raises:
        UnreadableError: the line is not a JSON object.
    """
    text = _decode(line)
    try:
        record = json.loads(text, object_pairs_hook=_first_of_each)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    return _require_object(record)


def parse_json_or_literal(line: bytes) -> Mapping[str, Any]:
    """Return the JSON object or the dictionary literal of a line; nothing is evaluated.

    Raises:
        UnreadableError: the line is neither.
    """
    text = _decode(line)
    try:
        record = json.loads(text, object_pairs_hook=_first_of_each)
    except (ValueError, RecursionError):
        try:
            record = parse_literal(text)
        except ValueError:
            raise UnreadableError("neither JSON nor a plain literal") from None
    return _require_object(record)


def text_id(record: Mapping[str, Any], name: str) -> str:
    """Return an id as text: a text unchanged, a whole number as digits.

    Raises:
        UnreadableError: the id is missing, empty or of another type.
    """
    value = record.get(name)
    if value is None or value == "":
        raise UnreadableError(f"no {name}")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnreadableError(f"{name} is not text")
    text = str(value)
    if not _is_unicode(text):
        raise UnreadableError(f"{name} is not Unicode text")
    return text


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8") from None


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs)) if len(pairs) != len(dict(pairs)) else dict(pairs)


def _require_object(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict):
        raise UnreadableError("not an object with named fields")
    return record


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
