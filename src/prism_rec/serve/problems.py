"""What is wrong with the form of a request, in one line for people who do not write Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from prism_rec.serve.messages import (
    Bounds,
    ExplainRequest,
    ItemsRequest,
    RecommendRequest,
    SimilarRequest,
)

REQUESTS: dict[str, type[BaseModel]] = {
    "/recommend": RecommendRequest,
    "/explain": ExplainRequest,
    "/similar": SimilarRequest,
    "/items": ItemsRequest,
}
LONGEST_PLACE = 100

WORDS = {
    "missing": "missing; add it",
    "dict_type": 'give an object, as in {{"key": ...}}',
    "model_type": 'give an object, as in {{"key": ...}}',
    "model_attributes_type": 'give an object, as in {{"key": ...}}',
    "list_type": 'give a list, as in ["a", "b"]',
    "string_type": "give a text in quotes",
    "string_unicode": "give a text of whole characters",
    "int_type": "give a whole number",
    "float_type": "give a number",
    "bool_type": "give true or false",
    "finite_number": "give a finite number",
    "literal_error": "give {expected}",
    "greater_than_equal": "give at least {ge}",
    "less_than_equal": "give at most {le}",
    "string_too_short": "the text is empty; leave it out",
    "string_too_long": "give at most {max_length} characters",
    "too_short": "the list is empty; give at least {min_length}",
}
"""What pydantic finds, by its name; `{...}` is a fact of it."""


def say_problem(errors: Sequence[Mapping[str, Any]], path: str) -> str:
    """Return the most telling of the errors of pydantic, which repeats no value of the request.

    Args:
        errors: what is wrong with the body.
        path: of the request.
    """
    first = _most_telling(errors)
    if first["type"] == "json_invalid":
        return f"body: not JSON ({first['ctx']['error']}, at character {first['loc'][-1]})"
    parts = [part for part in first["loc"][1:] if part != Bounds.__name__]
    place = ".".join(str(part) for part in parts if isinstance(part, str | int))
    where = " ".join(place.encode("utf-8", "replace").decode().split())  # may have names of the request
    return f"{where[:LONGEST_PLACE] or 'body'}: {_say(first, path)}"


def _most_telling(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the first error; of a condition with bounds that of the bound, not of other forms of a condition."""
    inside = (one for one in errors if Bounds.__name__ in one["loc"][:-1])
    return next(inside, errors[0])


def _say(error: Mapping[str, Any], path: str) -> str:
    if error["type"] == "extra_forbidden":
        message = Bounds if Bounds.__name__ in error["loc"] else REQUESTS[path]
        return f"there is no such key; the keys are {', '.join(message.model_fields)}"
    if error["type"] in WORDS:
        return WORDS[error["type"]].format(**error.get("ctx", {}))
    return str(error["msg"])
