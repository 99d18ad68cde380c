"""Lines that hold a Python literal, as the 2014 metadata have them: read without running any of it."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

_LONGEST = 2**20
_MOST_TOKENS = 100_000
_DEEPEST = 20

# Possessive, and matched from where the last token ended: the time is linear whatever the text.
_TOKEN = re.compile(
    r"""\s*+(?:(?P<value>[uU]?'[^'\\]*+(?:\\.[^'\\]*+)*+'|[uU]?"[^"\\]*+(?:\\.[^"\\]*+)*+"
    |-?\d[\d.]*+(?:[eE][+-]?\d++)?+|(?:True|False|None)\b)
    |(?P<open>[\[({])|(?P<close>[\])}])|(?P<mark>[,:]))""",
    re.DOTALL | re.VERBOSE,
)


def parse_literal(text: str) -> Any:
    """Return the value of a literal of strings, numbers, booleans, None, lists, tuples, sets, dictionaries.

    Python's own parser can be brought to crash, or to eat memory, by long chains of operators and by deep
    brackets. So it never sees a text that holds anything but values, brackets, commas and colons (no name,
    no call, no operator), or that is too long, too deep or has too many parts.

    Raises:
        ValueError: it is no such literal, or is over 1 MiB, 20 levels or 100,000 parts.
    """
    if len(text) > _LONGEST:
        raise ValueError("longer than 1 MiB")
    _require_plain(text.rstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes that escape nothing
            return ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ValueError("no literal") from None


def _require_plain(text: str) -> None:
    position = tokens = depth = 0
    after_value = False
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or (after_value and token.lastgroup == "value"):
            raise ValueError("more than a literal")
        after_value = token.lastgroup == "value"
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        tokens += 1
        if depth > _DEEPEST or tokens > _MOST_TOKENS:
            raise ValueError("literal too large")
        position = token.end()
