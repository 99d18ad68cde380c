"""One line to one record: JSON, or a Python literal, with whatever is wrong told in a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prism_rec.data.sources.literals import parse_literal


class UnreadableError(ValueError):
    """A line, or a field of it, that cannot be used; the message says why in a few words."""


def parse_json(line: bytes) -> Mapping[str, Any]:
    """Return the JSON object that a line holds.

    Raises:
        UnreadableError: it holds none.
    """
    text = _decode(line)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    return _require_mapping(record)


def parse_json_or_literal(line: bytes) -> Mapping[str, Any]:
    """Return the JSON object or the dictionary literal that a line holds; nothing is evaluated.

    Raises:
        UnreadableError: it holds neither.
    """
    text = _decode(line)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        try:
            record = parse_literal(text)
        except ValueError:
            raise UnreadableError("neither JSON nor a plain literal") from None
    return _require_mapping(record)


def text_id(record: Mapping[str, Any], name: str) -> str:
    """Return an id as text: text as it is, a whole number in digits.

    Raises:
        UnreadableError: missing, empty or something else.
    """
    value = record.get(name)
    if value is None or value == "":
        raise UnreadableError(f"no {name}")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnreadableError(f"{name} is no text")
    text = str(value)
    if not _is_unicode(text):
        raise UnreadableError(f"{name} is no Unicode text")
    return text


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8") from None


def _require_mapping(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict):
        raise UnreadableError("no object with named fields")
    return record


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
