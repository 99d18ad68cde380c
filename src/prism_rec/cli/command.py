"""A command made from a settings class: one option per field, with the field's type, default and documentation.

The fields of the kinds of a choice are in sections; a section is named after the kinds that have its fields.
"""

import inspect
from collections.abc import Callable
from functools import partial, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from cyclopts import App, Group, Parameter
from pydantic import BeforeValidator

from prism_rec.cli.options import Option, in_order, in_words_of_options, options_of, settings_from
from prism_rec.config import Config
from prism_rec.errors import InputError


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
    options = options_of(settings)
    unset = inspect.Parameter.empty

    def command(*values: Any, **named: Any) -> None:
        bound = command.__signature__.bind(*values, **named).arguments  # type: ignore[attr-defined]
        checked = settings_from(settings, options, bound)
        try:
            run(checked)
        except InputError as error:
            raise in_words_of_options(error, options) from None

    parameters = [
        inspect.Parameter(
            option.python_name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD
            if option.key in positional
            else inspect.Parameter.KEYWORD_ONLY,
            default=unset if option.required else None,
            annotation=_annotation(option),
        )
        for option in in_order(settings, positional)
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = inspect.getdoc(settings)
    app.command(command, name=run.__name__.replace("_", "-"), group=group, sort_key=order)


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
