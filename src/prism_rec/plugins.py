"""Everything that is chosen by name: unions of settings that differ in `kind`, and the plug-ins that add to them.

A part of the library that can be chosen (source, split, encoder, engine, fusion, backbone, objective, export format)
is a settings class with a `kind` and one verb. Packages add a class by an entry point of the group that `Kinds` names.
"""

from dataclasses import dataclass
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from typing import Annotated, Any, get_args, get_origin

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, create_model
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from prism_rec.config import Config
from prism_rec.errors import InputError


@dataclass(frozen=True)
class Kinds:
    """Annotates a union of settings classes that differ in `kind`; installed packages may add to the union.

    In YAML, `{kind: NAME}` may be written as `NAME`.

    Args:
        group: of the entry points that name further settings classes, such as `prism_rec.backbones`.
        base: the class that all of these settings derive from; it declares what the library asks of them.

    Raises:
        InputError: a plug-in cannot be imported, is not a `base` with a `kind`, or has a kind that exists.
    """

    group: str
    base: type[Config] = Config

    def members(self, union: Any) -> dict[str, type[Config]]:
        """Return the settings classes by kind: those of the union, then those of installed packages."""
        settings = {_kind(member): member for member in get_args(union) or (union,)}
        for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name):
            member = _load(entry, self.base)
            if _kind(member) in settings:
                raise InputError(f"{_name(entry)}: the kind {_kind(member)!r} exists; rename this one")
            settings[_kind(member)] = member
        return settings

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the union with everything that is installed now."""
        members: Any = reduce(or_, self.members(union).values())
        if get_args(members):  # a union of one needs no discriminator
            members = Annotated[members, Field(discriminator="kind")]
        return handler.generate_schema(Annotated[members, BeforeValidator(_expand)])


def kinds_of_field(field: FieldInfo) -> dict[str, type[Config]] | None:
    """Return the settings classes that a field can have, by kind; None if the field is not a choice by `kind`."""
    annotations: list[tuple[Any, Any]] = [(field.annotation, field.metadata)]
    annotations += [
        (get_args(part)[0], get_args(part)[1:])
        for part in (field.annotation, *get_args(field.annotation))
        if get_origin(part) is Annotated
    ]
    for union, metadata in annotations:
        for mark in metadata:
            if isinstance(mark, Kinds):
                return mark.members(union)
    return None


def choose(choice: Any, value: Any, key: str, where: str = "") -> Any:
    """Return the settings of one choice by `kind`; installed packages are looked up now, not at import.

    Args:
        choice: a union annotated with `Kinds`.
        value: a kind's name, a mapping with a `kind`, or the settings themselves.
        key: the name of the setting, for messages.
        where: the file of the setting, for messages.

    Raises:
        SettingsError: there is no such kind, or one of its settings is wrong.
    """
    field: Any = {key: (choice, ...)}
    holder = create_model("Choice", __base__=Config, **field)
    return getattr(holder.parse({key: value}, where), key)


def _expand(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _load(entry: EntryPoint, base: type[Config]) -> type[Config]:
    try:
        member = entry.load()
    except Exception as error:  # a package of others fails in its own way
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{_name(entry)} cannot be imported ({why}); fix or uninstall it") from None
    if not (isinstance(member, type) and issubclass(member, base) and "kind" in member.model_fields):
        raise InputError(f"{_name(entry)} is not a {base.__name__} with a kind; see docs/how-to/plugins.md")
    return member


def _kind(settings: type[Config]) -> str:
    return str(settings.model_fields["kind"].default)


def _name(entry: EntryPoint) -> str:
    return f"plug-in {entry.value} of {entry.dist.name if entry.dist else 'an unknown package'}"
