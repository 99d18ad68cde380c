"""The options of a command: one per field of its settings class, with the field's type, default and documentation.

A nested settings class adds its fields without a prefix (`cleaning.core` becomes `--core`). A field that is a choice by
`kind` becomes an option for the kind, and the options of its kinds' fields follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from prism_rec.config import Config
from prism_rec.plugins import kinds_of_field

FLAG, FLAGS = "flag", "flags"
"""Keys of `Field(json_schema_extra=...)`: another name of the option; a list of further names."""


@dataclass
class Option:
    """One option of a command.

    Args:
        key: the dotted name of the setting.
        annotation: its type.
        help: its documentation; if it differs between kinds, that of each kind.
        default: how help shows the default; None if there is none.
        required: whether the command needs it.
        flags: all names on the command line, the first of which messages use.
        kinds: the kinds that have the setting; empty if it is not a setting of a kind.
    """

    key: str
    annotation: Any
    help: str
    default: str | None
    required: bool
    flags: list[str]
    kinds: list[str] = field(default_factory=list)

    @property
    def is_map(self) -> bool:
        """Whether the option is repeated with NAME=VALUE."""
        return get_origin(self.annotation) in (dict, Mapping)


def options_of(settings: type[Config]) -> list[Option]:
    """Return the options that a settings class makes, in the order of its fields.

    Raises:
        TypeError: two settings would have the same name on the command line.
    """
    options = list(_walk(settings, ""))
    taken: dict[str, str] = {}
    for option in options:
        for flag in option.flags:
            if taken.setdefault(flag, option.key) != option.key:
                raise TypeError(f"{settings.__name__}: {flag} would be {taken[flag]} and {option.key}")
    return options


def in_order(settings: type[Config], positional: tuple[str, ...]) -> list[Option]:
    """Return the options of a command as help lists them: by place, required ones, the command's own, the others."""
    own = settings.__annotations__

    def place(option: Option) -> tuple[int, bool, bool]:
        number = positional.index(option.key) if option.key in positional else len(positional)
        return number, not option.required, option.key not in own

    return sorted(options_of(settings), key=place)


def _walk(settings: type[Config], prefix: str, kind: str = "") -> list[Option]:
    options: dict[str, Option] = {}
    for name, info in settings.model_fields.items():
        key = f"{prefix}{name}"
        members = kinds_of_field(info)
        if members is not None:
            found = [_kind_option(key, name, info, list(members))]
            for one, member in members.items():
                found += _walk(member, f"{key}.", one)
        elif isinstance(info.annotation, type) and issubclass(info.annotation, Config):
            found = _walk(info.annotation, f"{key}.", kind)
        elif name == "kind":
            found = []
        else:
            found = [_option(key, name, info, kind)]
        for option in found:
            if option.key in options:  # several kinds have the setting
                options[option.key] = _join(options[option.key], option)
            else:
                options[option.key] = option
    return list(options.values())


def _join(one: Option, other: Option) -> Option:
    """Return the option of a setting that several kinds have."""
    text = one.help
    if other.help not in text:
        known = text if text.startswith(f"{one.kinds[0]}: ") else f"{', '.join(one.kinds)}: {text}"
        text = f"{known} {', '.join(other.kinds)}: {other.help}"
    default = one.default if one.default == other.default else None
    return replace(one, help=text, default=default, required=False, kinds=one.kinds + other.kinds)


def _kind_option(key: str, name: str, info: FieldInfo, kinds: list[str]) -> Option:
    default = getattr(info.get_default(call_default_factory=True), "kind", None)
    choices = f"{info.description or ''} One of: {', '.join(kinds)}.".strip()
    return Option(f"{key}.kind", str, choices, default, info.is_required(), [flag_of(name)])


def _option(key: str, name: str, info: FieldInfo, kind: str) -> Option:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    further = extra.get(FLAGS)
    return Option(
        key=key,
        annotation=info.annotation,
        help=" ".join((info.description or "").split()),
        default=_show(None if info.is_required() else info.get_default(call_default_factory=True)),
        required=info.is_required() and not kind,
        flags=[str(extra.get(FLAG, flag_of(name))), *map(str, further if isinstance(further, list) else [])],
        kinds=[kind] if kind else [],
    )


def flag_of(name: str) -> str:
    """Return the default name of the option of a field."""
    return "--" + name.replace("_", "-")


def _show(value: Any) -> str | None:
    if value is None or value is False or value in ((), {}, ""):
        return None
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
