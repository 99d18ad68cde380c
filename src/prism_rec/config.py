"""The base of every settings class: values are frozen, and an unknown key is an error."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from prism_rec.errors import InputError, SettingsError, UnknownKindError
from prism_rec.strict_yaml import load

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

PLAINLY = {
    "missing": "missing; add it",
    "tuple_type": "should be a list, as in [0, 1]",
    "list_type": "should be a list, as in [0, 1]",
    "dict_type": "should be a section, keys with values",
    "model_type": "should be a section, keys with values",
    "int_parsing": "should be a whole number",
    "float_parsing": "should be a number",
    "bool_parsing": "should be true or false",
    "union_tag_not_found": "needs a kind, as in {kind: ...}",
}
"""Messages of pydantic, in words for people who do not write Python."""


_SHORT = Repr()
"""Writes the beginning of a value, however large the value is."""
_SHORT.maxstring = _SHORT.maxother = 60


class _Settings(ModelMetaclass):
    """Says what is wrong with settings that a program makes in the same words as for those of a file."""

    def __call__(cls, *args: Any, **values: Any) -> Any:  # noqa: N805 - the instance is a class
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise _explain(error.errors()[0], values, cls.__name__) from None


class Config(BaseModel, metaclass=_Settings):
    """Settings, written next to the class or stage that reads them.

    The text below a field is its documentation, for the command line and the reference pages too.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, values: Any) -> Any:
        for key in values if isinstance(values, Mapping) else ():
            if key not in cls.model_fields:
                near = get_close_matches(str(key), cls.model_fields, 1)
                raise PydanticCustomError("unknown_key", "", {"key": key, "near": near})
        return values

    @model_validator(mode="after")
    def _has_numbers_of_64_bits(self) -> Self:
        for key in type(self).model_fields:
            value = getattr(self, key)
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, int) and abs(one) >= 2**63:
                    raise PydanticCustomError("too_large", "", {"key": key, "given": one})
        return self

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "config") -> Self:
        """Check plain values, as they come from YAML or JSON.

        Args:
            values: nested mappings.
            where: how an error names the place of the values, for instance the file's name.

        Raises:
            SettingsError: an unknown key, a missing one, or a value of the wrong kind; names the first of them.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _explain(error.errors()[0], values, where) from None


def _explain(first: Mapping[str, Any], values: Any, where: str) -> SettingsError:
    """Return the errors that pydantic found, in plain words."""
    key = _name_key(values, first["loc"])
    context = first.get("ctx", {})
    if first["type"] == "value_error":  # raised by one of our own checks
        return SettingsError(str(context["error"]), where, key)
    if first["type"] == "union_tag_invalid":
        choices = context["expected_tags"].replace("'", "")
        return UnknownKindError(
            f"there is no {context['tag']!r}; choose one of {choices}", where, f"{key}.kind"
        )
    if first["type"] == "unknown_key":
        unknown = _name_key(values, (*first["loc"], context["key"]))
        fix = "".join(f"did you mean {name}?" for name in context["near"]) or "remove it"
        return SettingsError(f"unknown key {unknown}; {fix}", where)
    if first["type"] == "too_large":
        unfit = _name_key(values, (*first["loc"], context["key"]))
        return SettingsError(
            f"should be less than 2**63 (given: {_SHORT.repr(context['given'])})", where, unfit
        )
    given = (
        ""
        if first["type"] in ("missing", "too_short")
        else f" (given: {' '.join(_SHORT.repr(first['input']).split()):.60})"
    )
    return SettingsError(f"{' '.join(_say_plainly(first).split())}{given}", where, key or "the file")


def _say_plainly(error: Mapping[str, Any]) -> str:
    pattern = error.get("ctx", {}).get("pattern", "")
    if pattern.startswith("^(") and "|" in pattern:  # a choice of names
        return "choose one of " + pattern.removeprefix("^(").removesuffix(")$").replace("|", ", ")
    if error["type"] == "too_short":
        return f"give at least {error['ctx']['min_length']}"
    return PLAINLY.get(error["type"], str(error["msg"]))


def _name_key(values: Any, location: Sequence[str | int]) -> str:
    """Return a dotted key, without the union tags that pydantic adds to the location."""
    names: list[str] = []
    at_tag = False  # a tag follows the key of a choice; a field of the chosen kind may have the same name
    for part in location:
        if at_tag and isinstance(values, Mapping) and part == values.get("kind"):
            at_tag = False
            continue
        names.append(str(part))
        values = values.get(part) if isinstance(values, Mapping) else None
        at_tag = True
    return ".".join(names)


def name_difference(old: Config, new: Config, section: str = "") -> str | None:
    """Return the first setting that differs, with both values, as an error names it; None if the settings are equal.

    Args:
        old: the settings that a folder was made with.
        new: the settings that are wanted now.
        section: the dotted name of both in a file, if they are a section of it.
    """
    found = _differ(old.model_dump(mode="json"), new.model_dump(mode="json"), section)
    return found and f"`{found[0]}` is {found[1]} there and {found[2]} here"


def _differ(old: Any, new: Any, key: str) -> tuple[str, Any, Any] | None:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)) or old.get("kind") != new.get("kind"):
        shown = [
            value["kind"] if isinstance(value, Mapping) and "kind" in value else value for value in (old, new)
        ]
        return None if old == new else (key, *shown)
    for name in dict.fromkeys([*new, *old]):
        found = _differ(old.get(name), new.get(name), f"{key}.{name}" if key else str(name))
        if found:
            return found
    return None


def read_yaml(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML mapping and apply dotted overrides such as `train.learning_rate=5e-4`.

    Raises:
        InputError: no such file, not YAML, not a mapping, an override without `=`, or two of one key.
    """
    try:
        values = load(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsError(f"{path}: no such file; name a YAML config, such as one in recipes/") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path} has no settings; it should be a YAML mapping")
    keys = [override.partition("=")[0] for override in overrides]
    for key, override in zip(keys, overrides, strict=True):
        if keys.count(key) > 1:
            raise InputError(f"--set {key} is given twice; give it once")
        _override(values, override)
    return values


def name_origin(path: Path, overrides: Sequence[str] = ()) -> str:
    """Return how errors name settings that were read from a file with overrides."""
    return " ".join([str(path), *(f"--set {override}" for override in overrides)])


def _override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise InputError(f"--set {override}: write it as key.key=value")
    set_key(values, key, _scalar(text), f"--set {override}")


def set_key(values: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set a dotted key in nested mappings, in place; missing sections are made.

    A new `kind` removes the other settings of its section, because they belong to the old kind.

    Raises:
        InputError: a part of the key before its last is a value; `where` is what the error calls the key's place.
    """
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise InputError(f"{where}: {parent} is a value, not a section")
    if last == "kind" and values.get(last, value) != value:
        values.clear()
    values[last] = value


def _scalar(text: str) -> Any:
    try:
        value = load(text)
    except yaml.YAMLError:
        raise InputError(f"--set: {text!r} is not a YAML value; quote it, or fix its brackets") from None
    if isinstance(value, str):  # YAML 1.1 reads 5e-4 as a string
        try:
            return float(value)
        except ValueError:
            return value
    return value
