"""Lines that are Python literals, as in Amazon's 2014 metadata: parsed without running any of it."""

import ast
import re
import warnings
from typing import Any

_LONGEST = 2**20
_MOST_TOKENS = 100_000
_DEEPEST = 20

# Possessive quantifiers, and each match starts at the end of the last token: the time is linear for any text.
_TOKEN = re.compile(
    r"""\s*+(?:(?P<value>[uU]?'[^'\\]*+(?:\\.[^'\\]*+)*+'|[uU]?"[^"\\]*+(?:\\.[^"\\]*+)*+"
    |-?\d[\d.]*+(?:[eE][+-]?\d++)?+|(?:True|False|None)\b)
    |(?P<open>[\[({])|(?P<close>[\])}])|(?P<mark>[,:]))""",
    re.DOTALL | re.VERBOSE,
)


def parse_literal(text: str) -> Any:
    """Return the value of a literal of strings, numbers, booleans, None, lists, tuples, sets, dictionaries.

    Long chains of operators and deep brackets can make Python's parser crash or use much memory. So the parser
    only gets a text of values, brackets, commas and colons (no name, no call, no operator) that is not too long,
    not too deep and does not have too many parts.

    Raises:
        ValueError: the text is not such a literal, or has over 1 MiB, 20 levels or 100,000 parts.
    """
    if len(text) > _LONGEST:
        raise ValueError("longer than 1 MiB")
    _require_plain(text.rstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about backslashes that escape nothing
            return ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ValueError("not a literal") from None


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
