"""A command made from a settings class: its options are read, checked and given to a function.

The fields of kinds are in sections of the help; a section is named after the kinds that have its fields.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from cyclopts import App, Group, Parameter
from pydantic import BeforeValidator

from prism_rec.cli.options import Option, flag_of, in_order
from prism_rec.config import Config, set_key
from prism_rec.errors import InputError, SettingsError
from prism_rec.machine import one_line
from prism_rec.plugins import kinds_of_field


def add_command(
    app: App,
    settings: type[Config],
    run: Callable[[Any], None],
    positional: tuple[str, ...] = (),
    group: Group | None = None,
    order: int | None = None,
) -> None:
    """Add a command to the application.

    Args:
        app: gets the command.
        settings: its options; the class docstring is the help text.
        run: called with the settings; its name is the command's name.
        positional: fields that are given by place, in this order; also by name.
        group: where the command is listed in the help of the application.
        order: its place there.
    """
    options = in_order(settings, positional)
    unset = inspect.Parameter.empty

    def command(*values: Any, **named: Any) -> None:
        bound = command.__signature__.bind(*values, **named).arguments  # type: ignore[attr-defined]
        checked = settings_from(settings, options, bound)
        try:
            with one_line():
                run(checked)
        except InputError as error:
            raise in_words_of_options(error, options) from None

    parameters = [
        inspect.Parameter(
            _python_name(option),
            inspect.Parameter.POSITIONAL_OR_KEYWORD
            if option.key in positional
            else inspect.Parameter.KEYWORD_ONLY,
            default=unset if option.required else None,
            annotation=_annotation(option),
        )
        for option in options
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = inspect.getdoc(settings)
    app.command(command, name=run.__name__.replace("_", "-"), group=group, sort_key=order)


def settings_from(settings: type[Config], options: list[Option], given: Mapping[str, Any]) -> Config:
    """Return checked settings from the options that were given.

    Raises:
        SettingsError: a wrong value; it is named as an option.
    """
    values: dict[str, Any] = {}
    kinds = [option for option in options if option.key.endswith(".kind") or not option.kinds]
    for option in [*kinds, *(option for option in options if option not in kinds)]:
        value = given.get(_python_name(option))
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
        if not option.kinds or given.get(_python_name(option)) is None:
            continue
        name = option.key.split(".")[0]
        kind = values.get(name, {}).get("kind")
        if kind not in option.kinds and kind in (kinds_of_field(settings.model_fields[name]) or {}):
            raise SettingsError(
                f"{option.flags[0]} belongs to {flag_of(name)} {', '.join(option.kinds)}, "
                f"not to {flag_of(name)} {kind}; leave it out"
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


def _python_name(option: Option) -> str:
    return option.key.replace(".", "__")


def _annotation(option: Option) -> Any:
    annotation = list[str] if option.is_map else _plain(option.annotation)
    section: dict[str, Any] = {"group": Group(_title(option))} if option.kinds else {}
    return Annotated[
        annotation if option.required else annotation | None,
        Parameter(
            name=option.flags,
            help=option.help,
            show_default=partial(_first, option.default) if option.default else False,
            negative=() if option.default != "True" else None,
            negative_none=(),
            consume_multiple=False,
            **section,
        ),
    ]


def _title(option: Option) -> str:
    return f"{option.key.split('.')[0].capitalize()} {', '.join(option.kinds)}"


def _first(text: str, _: object) -> str:
    return text


def _plain(annotation: Any) -> Any:
    """Return a type that the command line can read: sequences as lists, without pydantic's constraints.

    A type with a `BeforeValidator` is read as text, which the validator understands.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return str if any(isinstance(mark, BeforeValidator) for mark in args[1:]) else _plain(args[0])
    if origin in (Union, UnionType):
        return reduce(or_, map(_plain, args))
    if origin is tuple and args[-1] is Ellipsis:
        return list[_plain(args[0])]  # type: ignore[misc]
    if origin is tuple:
        return tuple[tuple(map(_plain, args))]  # type: ignore[misc]
    return annotation


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
