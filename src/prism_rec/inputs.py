"""Checks of the arguments of public calls: their types, and ids in any container that has an order.

Other libraries would take a text for a list of letters, a set for a list, or a map for its keys, and say nothing.
"""

import inspect
import os
import re
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence, Set
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from types import UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from prism_rec.errors import DataError, InputError
from prism_rec.machine import one_line

P = ParamSpec("P")
R = TypeVar("R")
_LONGEST_NAME = 255
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*)),')
"""One id and the comma after it."""
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 40
_NAMES = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    Path: "a path",
    Mapping: "a map",
    Sequence: "a list",
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Compare the arguments of a public call with its annotations, before anything is done.

    Annotations that are written as text, and `Any`, are not compared: the function checks these arguments itself. A
    text is taken as a path if only a path is wanted.

    Raises:
        InputError: an argument has another type; names it and what to give.
        MachineError: the disk is full, a path may not be read or written, or memory is short.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> R:
        bound = signature.bind(*args, **named)
        for name, value in bound.arguments.items():
            wanted = signature.parameters[name].annotation
            if wanted is Path and isinstance(value, str):
                bound.arguments[name] = value = Path(value) if value else None
            if wanted is int and isinstance(value, Integral) and not isinstance(value, bool):
                bound.arguments[name] = int(value)  # a number of NumPy
            if not _suits(value, wanted):
                if (
                    isinstance(value, str | Path)
                    and Path in (wanted, *get_args(wanted))
                    and len(str(value)) > 1
                ):
                    raise InputError(
                        f"{name} is {_SHORT.repr(str(value))}, which no file can be called; give a path"
                    )
                raise InputError(f"{name} is {show(value)}; give {_say(wanted)}")
        with one_line():
            return function(*bound.args, **bound.kwargs)

    return call


def ids_from(given: Any, what: str, column: str = "item_id") -> list[str]:
    """Return ids as texts, in the order given.

    Args:
        given: a list, tuple, iterator, array, series or index of ids; or a frame with the column `column`.
        what: the argument, for messages.
        column: where a frame has the ids.

    Raises:
        DataError: a text, number, set or map instead of several ids; or an id that is neither text nor a whole number.
    """
    values = list(_values(given, what, column))
    types = set(map(type, values))
    for place, value in enumerate(values) if not all(map(_is_of_ids, types)) else ():
        if not _is_of_ids(type(value)):
            raise DataError(
                f"{what}: {show(value)} at place {place} is not an id; give texts or whole numbers"
            )
    if len({issubclass(one, str) for one in types}) > 1:
        raise DataError(f"{what}: some ids are texts and some are numbers; give all of them as texts")
    return [str(value) for value in values]


def split_ids(text: str) -> list[str]:
    """Return the ids of a text that separates them by commas; an id with a comma or outer spaces is in double quotes.

    Args:
        text: as in `a, b,"c, d"`; within quotes, a quote is written twice.

    Raises:
        DataError: an id is empty.
    """
    if not text.strip():
        return []
    ids = [
        plain.strip() if plain is not None else quoted.replace('""', '"')
        for quoted, plain in (found.groups() for found in _ITEM.finditer(f"{text},"))
    ]
    if "" in ids:
        raise DataError("an id of the history is empty; remove it")
    return ids


def id_from(given: Any, what: str) -> str:
    """Return one id as text.

    Raises:
        DataError: not an id.
    """
    if not _is_of_ids(type(given)):
        raise DataError(f"{what} is {show(given)}; give one id, as text or a whole number")
    return str(given)


def values_of(given: Any) -> list[Any]:
    """Return the values of a list, set, range, array or series; anything else is one value."""
    given = _in_python(given)
    is_one = isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable)
    return [given] if is_one else list(given)


def column_of(given: Any, column: str) -> Any:
    """Return a column of a frame; None if it is not a frame with such a column."""
    names = getattr(given, "column_names", getattr(given, "columns", None))
    return None if names is None or column not in list(names) else given[column]


def show(value: Any) -> str:
    """Return a value in a few words for a message: the type, and the beginning of a short value."""
    if value is None:
        return "None"
    shown = f" {_SHORT.repr(value)}" if isinstance(value, str | bytes | Real | Path) else ""
    return f"{type(value).__name__}{shown}"


def _values(given: Any, what: str, column: str) -> Iterable[Any]:
    if hasattr(given, "collect") and hasattr(type(given), "columns"):  # a lazy frame
        given = given.collect()
    found = column_of(given, column)
    if found is None and hasattr(given, "columns"):
        raise DataError(f"{what}: the frame has no column {column!r}; rename the column of ids")
    given = given if found is None else found
    given = _in_python(given)
    disorder = isinstance(given, Set) and not isinstance(given, KeysView)
    if disorder or isinstance(given, str | bytes | bytearray | Mapping) or not isinstance(given, Iterable):
        raise DataError(f"{what}: given is {show(given)}; give a list of ids, as in ['a', 'b']")
    return given


def _in_python(given: Any) -> Any:
    """Return an array or series as a list, a number of NumPy as one of Python, and anything else as it is."""
    for name in ("to_pylist", "to_list", "tolist"):  # Arrow; polars and pandas; NumPy and torch
        if hasattr(given, name):
            return getattr(given, name)()
    return given


def _is_of_ids(kind: type) -> bool:
    return issubclass(kind, str | Integral) and not issubclass(kind, bool)


def _suits(value: Any, wanted: Any) -> bool:
    origin, args = get_origin(wanted), get_args(wanted)
    if wanted is Any or isinstance(wanted, str | TypeVar) or wanted is inspect.Parameter.empty:
        return True
    if origin is Annotated:  # a choice by kind; installed packages add to it
        bases = tuple(mark.base for mark in args[1:] if hasattr(mark, "base"))
        return isinstance(value, bases) if bases else _suits(value, args[0])
    if origin in (Union, UnionType):
        return any(_suits(value, one) for one in args)
    if origin is Literal:
        return isinstance(value, str) and value in args
    kind = type(None) if wanted is None else origin or wanted
    if kind is Iterable:  # of ids, which are read by `ids_from`
        return True
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if kind is Sequence:
        listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return listed and all(_suits(one, args[0]) for one in value)
    if isinstance(value, str) and kind is not str and issubclass(kind, Iterable):
        return False
    return isinstance(value, kind) and not (isinstance(value, str | Path) and not _is_name(value))


def _is_name(value: str | Path) -> bool:
    """Return whether a text can be the name of a file: not empty, without a zero, in UTF-8, no part over 255 bytes."""
    try:
        parts = [os.fsencode(part) for part in Path(value).parts]
    except UnicodeEncodeError:
        return False
    return bool(str(value)) and all(len(part) <= _LONGEST_NAME and b"\0" not in part for part in parts)


def _say(wanted: Any) -> str:
    """Return the types that an annotation allows, in words."""
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        bases = [mark.base.__name__ for mark in args[1:] if hasattr(mark, "base")]
        return " or ".join(bases) or _say(args[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_say(one) for one in args if one is not type(None)))
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    kind = origin or wanted
    return _NAMES.get(kind, str(getattr(kind, "__name__", kind)))
