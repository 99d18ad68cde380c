"""Write docs/reference/settings.md and docs/reference/commands.md from the settings classes."""

import inspect
import json
import textwrap
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prism_rec.cli.app import COMMANDS
from prism_rec.cli.options import Option, in_order
from prism_rec.comparison.recipe import Recipe
from prism_rec.config import Config
from prism_rec.plugins import Kinds, kinds_of_field
from prism_rec.stages.build import Build
from prism_rec.training.config import RunConfig
from prism_rec.tuning.search import TuneConfig

FOLDER = Path(__file__).parent / "reference"
TABLE = "| setting | type | default | meaning |\n|---|---|---|---|\n"
FILES: tuple[tuple[str, type[Config]], ...] = (
    ("A run: the file of `prism-rec train`", RunConfig),
    ("A search: the section `tune` of the file of `prism-rec tune`", TuneConfig),
    ("A comparison: the file of `prism-rec compare`", Recipe),
    ("A dataset: the file of `prism-rec build`", Build),
)


def settings_page() -> str:
    """Return the reference of every file that a command reads."""
    page = (
        "# Settings\n\nMade from the settings classes by `make reference`. A section `{kind: NAME}` may be written as "
        "`NAME`. An unknown key is an error. `--set section.key=value` changes a setting on the command line.\n"
    )
    for title, settings in FILES:
        page += f"\n## {title}\n\n{_first_line(settings)}\n\n{_tables(settings)}"
    return page


def commands_page() -> str:
    """Return the reference of all commands and their options."""
    page = (
        "# Commands\n\nMade from the settings classes by `make reference`. `prism-rec COMMAND --help` shows the same. "
        "An option of a kind belongs to that choice only.\n"
    )
    for title, commands in COMMANDS.items():
        page += f"\n## {title}\n"
        for options, run, positional in commands:
            name = run.__name__.replace("_", "-")
            page += f"\n### `prism-rec {name}`\n\n{_markdown(inspect.getdoc(options) or '')}\n\n"
            page += "| option | type | default | meaning |\n|---|---|---|---|\n"
            page += "".join(_option_row(option, positional) for option in in_order(options, positional))
    return page


def _option_row(option: Option, positional: tuple[str, ...]) -> str:
    names = ", ".join(f"`{flag}`" for flag in option.flags)
    if option.key in positional:
        names = f"`{option.key.upper()}` or {names}"
    kinds = f"({', '.join(option.kinds)}) " if option.kinds else ""
    default = "needed" if option.required else f"`{option.default}`" if option.default else ""
    kind = f"NAME={_type(get_args(option.annotation)[1])}" if option.is_map else _type(option.annotation)
    return _row_of(names, kind, default, f"{kinds}{option.help}")


def _markdown(text: str) -> str:
    """Return the help of a command with its examples as a block of code."""
    words, _, examples = text.partition("For instance:\n")
    lines = [line for line in textwrap.dedent(examples).strip().splitlines() if line]
    return f"{words.strip()}\n\n```\n" + "\n".join(lines) + "\n```" if lines else words.strip()


def _tables(settings: type[Config]) -> str:
    """Return the table of a settings class, then one table per kind of each choice in it."""
    rows, choices = _rows(settings, "")
    text = TABLE + "".join(rows) if rows else ""
    for key, group, members in choices:
        text += f"\n### `{key}`\n"
        text += f"\nPackages add kinds by the entry point group `{group}`.\n" if group else ""
        for kind, member in members.items():
            text += f"\n#### `{kind}`\n\n{_first_line(member)}\n\n{_tables(member)}"
    return text


def _rows(
    settings: type[Config], prefix: str
) -> tuple[list[str], list[tuple[str, str, dict[str, type[Config]]]]]:
    rows, choices = [], []
    for name, field in settings.model_fields.items():
        key, members = f"{prefix}{name}", kinds_of_field(field)
        if name == "kind":
            continue
        if members is not None:
            choices.append((key, _group(field), members))
            kinds = ", ".join(f"`{kind}`" for kind in members)
            rows.append(_row(key, f"one of {kinds}", _default(field), field.description))
        elif ranges := _ranges(field.annotation):
            choices.append((f"{key}.KEY", "", ranges))
            kinds = ", ".join(f"`{kind}`" for kind in ranges)
            rows.append(_row(f"{key}.KEY", f"one of {kinds}", _default(field), field.description))
        elif section := _section(field.annotation):
            inner, further = _rows(section[0], f"{key}.{section[1]}")
            rows, choices = rows + inner, choices + further
        else:
            kind = _type(field.annotation) + _bounds(field.metadata)
            rows.append(_row(key, kind, _default(field), field.description))
    return rows, choices


def _ranges(annotation: Any) -> dict[str, type[Config]]:
    """Return the settings classes by kind, if a section has one of several under each of its names."""
    value = get_args(annotation)[1] if get_origin(annotation) is dict else None
    members = get_args(get_args(value)[0]) if get_origin(value) is Annotated else ()
    return {get_args(member.model_fields["kind"].annotation)[0]: member for member in members}


def _section(annotation: Any) -> tuple[type[Config], str] | None:
    """Return the settings class of a section, and how its part of a key begins; None if it is not a section."""
    parts = [part for part in get_args(annotation) or (annotation,) if part is not NoneType]
    if not (isinstance(parts[-1], type) and issubclass(parts[-1], Config)):
        return None
    return parts[-1], "NAME." if get_origin(annotation) is dict else ""


def _row(key: str, kind: str, default: str, text: str | None) -> str:
    return _row_of(f"`{key}`", kind, default, text or "")


def _row_of(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |\n"


def _group(field: FieldInfo) -> str:
    marks = [*field.metadata, *(mark for part in get_args(field.annotation) for mark in get_args(part)[1:])]
    return next(mark.group for mark in marks if isinstance(mark, Kinds))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = getattr(value, "kind", value.model_dump(mode="json"))
    return f"`{value if isinstance(value, str) else json.dumps(value, default=str)}`"


def _type(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0]) + _bounds(args[1:])
    if origin is Literal:
        return "one of " + ", ".join(f"`{arg}`" for arg in args)
    if origin in (Union, UnionType):
        return " or ".join(_type(arg) for arg in args if arg is not NoneType)
    if origin is tuple:
        return "list of " + ", ".join(dict.fromkeys(_type(arg) for arg in args if arg is not Ellipsis))
    if origin is dict:
        return f"section of NAME: {_type(args[1])}"
    names = {
        Any: "any value",
        int: "whole number",
        float: "number",
        bool: "true or false",
        str: "text",
        Path: "path",
    }
    return names.get(annotation, getattr(annotation, "__name__", "any value"))


def _bounds(marks: Iterable[Any]) -> str:
    """Return the least and the greatest value of a field in words."""
    words = {Ge: "at least", Gt: "above", Le: "at most", Lt: "below"}
    found = [f"{words[type(mark)]} {astuple(mark)[0]}" for mark in marks if type(mark) in words]
    return "".join(f", {one}" for one in found)


def _first_line(settings: type[Config]) -> str:
    return (settings.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


PAGES = {"settings.md": settings_page, "commands.md": commands_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
