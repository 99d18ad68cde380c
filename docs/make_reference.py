"""Write docs/reference/settings.md and docs/reference/commands.md from the settings classes."""

import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prism_rec.config import Config
from prism_rec.plugins import Kinds, kinds_of_field
from prism_rec.stages.build import Build
from prism_rec.train.config import RunConfig

FOLDER = Path(__file__).parent / "reference"
TABLE = "| setting | type | default | meaning |\n|---|---|---|---|\n"
SETTINGS: tuple[tuple[str, type[Config]], ...] = (
    ("A run: the file of `prism-rec train`", RunConfig),
    ("A dataset: the file of `prism-rec build`", Build),
)


def settings_page() -> str:
    """Return the reference of every file that a command reads."""
    page = (
        "# Settings\n\nMade from the settings classes by `make reference`. A section `{kind: NAME}` may be written as "
        "`NAME`. An unknown key is an error. `--set section.key=value` changes a setting on the command line.\n"
    )
    for title, settings in SETTINGS:
        page += f"\n## {title}\n\n{_first_line(settings)}\n\n{_tables(settings)}"
    return page


def _tables(settings: type[Config]) -> str:
    """Return the table of a settings class, then one table per kind of each choice in it."""
    rows, choices = _rows(settings, "")
    text = TABLE + "".join(rows) if rows else ""
    for key, group, members in choices:
        text += f"\n### `{key}`\n\nPackages add kinds by the entry point group `{group}`.\n"
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
        elif section := _section(field.annotation):
            inner, further = _rows(section[0], f"{key}.{section[1]}")
            rows, choices = rows + inner, choices + further
        else:
            rows.append(_row(key, _type(field.annotation), _default(field), field.description))
    return rows, choices


def _section(annotation: Any) -> tuple[type[Config], str] | None:
    """Return the settings class of a section, and how its part of a key begins; None if it is not a section."""
    parts = [part for part in get_args(annotation) or (annotation,) if part is not NoneType]
    if not (isinstance(parts[-1], type) and issubclass(parts[-1], Config)):
        return None
    return parts[-1], "NAME." if get_origin(annotation) is dict else ""


def _row(key: str, kind: str, default: str, text: str | None) -> str:
    told = " ".join((text or "").split()).replace("|", "\\|")
    return f"| `{key}` | {kind} | {default} | {told} |\n"


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
        return _type(args[0])
    if origin is Literal:
        return "one of " + ", ".join(f"`{arg}`" for arg in args)
    if origin in (Union, UnionType):
        return " or ".join(_type(arg) for arg in args if arg is not NoneType)
    if origin is tuple:
        return "list of " + ", ".join(dict.fromkeys(_type(arg) for arg in args if arg is not Ellipsis))
    if origin is dict:
        return f"section of NAME: {_type(args[1])}"
    names = {int: "whole number", float: "number", bool: "true or false", str: "text", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", "any value"))


def _first_line(settings: type[Config]) -> str:
    return (settings.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


PAGES = {"settings.md": settings_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
