"""The base of every settings class: frozen, and an unknown key is an error."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from prism_rec.errors import InputError

PLAINLY = {
    "tuple_type": "should be a list, as in [0, 1]",
    "list_type": "should be a list, as in [0, 1]",
    "dict_type": "should be a section, keys with values",
    "int_parsing": "should be a whole number",
    "float_parsing": "should be a number",
    "bool_parsing": "should be true or false",
    "union_tag_not_found": "needs a kind, as in {kind: ...}",
}
"""What pydantic says of a value, in words for those who do not write Python."""


class Config(BaseModel):
    """Settings that are written beside the class that they build."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, values: Any) -> Any:
        for key in values if isinstance(values, Mapping) else ():
            if key not in cls.model_fields:
                near = get_close_matches(str(key), cls.model_fields, 1)
                raise PydanticCustomError("unknown_key", "", {"key": key, "near": near})
        return values

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "config") -> Self:
        """Check plain values, as they come from YAML or JSON.

        Args:
            values: nested mappings.
            where: what an error calls their place, such as the file's name.

        Raises:
            InputError: an unknown key, a missing one, or a value of the wrong kind; names the first of them.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] == "value_error":  # told by one of our own checks
                raise InputError(f"{where}: {first['ctx']['error']}") from None
            key = _name_key(values, first["loc"]) or "the file"
            if first["type"] == "union_tag_invalid":
                choices = first["ctx"]["expected_tags"].replace("'", "")
                raise InputError(
                    f"{where}: {key}.kind: there is no {first['ctx']['tag']!r}; choose one of {choices}"
                ) from None
            if first["type"] == "unknown_key":
                unknown = _name_key(values, (*first["loc"], first["ctx"]["key"]))
                mend = "".join(f"did you mean {name}?" for name in first["ctx"]["near"])
                raise InputError(f"{where}: unknown key {unknown}; {mend or 'remove it'}") from None
            raise InputError(
                f"{where}: {key}: {_say_plainly(first)} (given: {first['input']!r:.60})"
            ) from None


def _say_plainly(error: Mapping[str, Any]) -> str:
    pattern = error.get("ctx", {}).get("pattern", "")
    if pattern.startswith("^(") and "|" in pattern:  # names, one of which it has to be
        return "choose one of " + pattern.removeprefix("^(").removesuffix(")$").replace("|", ", ")
    return PLAINLY.get(error["type"], str(error["msg"]))


def _name_key(values: Any, location: Sequence[str | int]) -> str:
    """Return a dotted key; a union's tag, which pydantic puts among the keys, stands in no file and is left out."""
    names: list[str] = []
    for part in location:
        if isinstance(values, Mapping) and part not in values and part == values.get("kind"):
            continue
        names.append(str(part))
        values = values.get(part) if isinstance(values, Mapping) else None
    return ".".join(names)


def read_yaml(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML mapping and apply dotted overrides such as `train.learning_rate=5e-4`.

    Raises:
        InputError: no such file, not YAML, not a mapping, or an override without `=`.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"{path}: no such file; name a YAML config, such as one in recipes/") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no settings; it should be a YAML mapping")
    for override in overrides:
        _override(values, override)
    return values


def name_origin(path: Path, overrides: Sequence[str] = ()) -> str:
    """Return what errors call settings that were read from a file with overrides."""
    return " ".join([str(path), *(f"--set {override}" for override in overrides)])


def _override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise InputError(f"--set {override}: write it as key.key=value")
    set_key(values, key, _scalar(text), f"--set {override}")


def set_key(values: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set a dotted key in nested mappings, in place; sections that are missing are made.

    Where that makes a section one of another `kind`, its other settings, which were of the old kind, are gone.

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
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InputError(f"--set: {text!r} is no YAML value; quote it, or mend its brackets") from None
    if isinstance(value, str):  # YAML 1.1 reads 5e-4 as a string
        try:
            return float(value)
        except ValueError:
            return value
    return value
