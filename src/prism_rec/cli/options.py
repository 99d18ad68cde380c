"""Options made from a settings class, settings made from the options that were given, and errors in their words.

A nested settings class adds its fields without a prefix (`cleaning.core` becomes `--core`). A field that is a choice by
`kind` becomes an option for the kind, next to the options of every kind.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from prism_rec.config import Config, set_key
from prism_rec.errors import InputError, SettingsError
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
    def python_name(self) -> str:
        """The name of the parameter of a function that takes the option."""
        return self.key.replace(".", "__")

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
    return Option(f"{key}.kind", str, choices, default, info.is_required(), [_flag(name)])


def _option(key: str, name: str, info: FieldInfo, kind: str) -> Option:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    further = extra.get(FLAGS)
    return Option(
        key=key,
        annotation=info.annotation,
        help=" ".join((info.description or "").split()),
        default=_show(None if info.is_required() else info.get_default(call_default_factory=True)),
        required=info.is_required() and not kind,
        flags=[str(extra.get(FLAG, _flag(name))), *map(str, further if isinstance(further, list) else [])],
        kinds=[kind] if kind else [],
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _show(value: Any) -> str | None:
    if value is None or value is False or value in ((), {}, ""):
        return None
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def settings_from(settings: type[Config], options: list[Option], given: Mapping[str, Any]) -> Config:
    """Return checked settings from the options that were given.

    Raises:
        SettingsError: a wrong value; it is named as an option.
    """
    values: dict[str, Any] = {}
    kinds = [option for option in options if option.key.endswith(".kind") or not option.kinds]
    for option in [*kinds, *(option for option in options if option not in kinds)]:
        value = given.get(option.python_name)
        if value is not None:
            set_key(values, option.key, _pairs(option, value) if option.is_map else value, option.flags[0])
    values = _with_default_kinds(values, settings)
    _refuse_options_of_other_kinds(settings, values, options, given)
    try:
        return settings.parse(values, "")
    except InputError as error:
        raise in_words_of_options(error, options) from None


def _refuse_options_of_other_kinds(
    settings: type[Config], values: Mapping[str, Any], options: list[Option], given: Mapping[str, Any]
) -> None:
    for option in options:
        if not option.kinds or given.get(option.python_name) is None:
            continue
        name = option.key.split(".")[0]
        kind = values.get(name, {}).get("kind")
        if kind not in option.kinds and kind in (kinds_of_field(settings.model_fields[name]) or {}):
            raise SettingsError(
                f"{option.flags[0]} belongs to {_flag(name)} {', '.join(option.kinds)}, "
                f"not to {_flag(name)} {kind}; leave it out"
            )


def _with_default_kinds(values: dict[str, Any], settings: type[Config]) -> dict[str, Any]:
    """Add the default kind to a choice of which only other settings were given."""
    for name, info in settings.model_fields.items():
        default = None if info.is_required() else info.get_default(call_default_factory=True)
        if isinstance(values.get(name), dict) and kinds_of_field(info) and default is not None:
            values[name].setdefault("kind", default.kind)
    return values


def in_words_of_options(error: InputError, options: list[Option]) -> InputError:
    """Return an error in which settings are named by the options that set them."""
    flags = {option.key.rpartition(".")[2]: option.flags[0] for option in options if option.kinds}
    flags |= {option.key: option.flags[0] for option in options}
    flags |= {key.removesuffix(".kind"): flag for key, flag in flags.items() if key.endswith(".kind")}
    if isinstance(error, SettingsError):
        why = _replace_keys(error.why, flags)
        key = flags.get(error.key, error.key)
        return SettingsError(why, error.where, key)
    return type(error)(_replace_keys(str(error), flags))


def _replace_keys(text: str, flags: Mapping[str, str]) -> str:
    return re.sub(r"`([\w.]+)`", lambda match: flags.get(match[1], match[0]), text)


def _pairs(option: Option, given: list[str]) -> dict[str, str]:
    """Return NAME=VALUE arguments as a mapping.

    Raises:
        InputError: an argument without a name or value, or a name that is given twice.
    """
    pairs: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not (separator and name and value):
            raise InputError(f"{option.flags[0]} {text}: write it as NAME=VALUE")
        if name in pairs:
            raise InputError(f"{option.flags[0]}: {name} is given twice; give it once")
        pairs[name] = value
    return pairs


def only(settings: Config, stage: type[Config]) -> Any:
    """Return the part of a command's settings that belongs to a stage's settings class, which it extends."""
    return stage.model_validate({name: getattr(settings, name) for name in stage.model_fields})
