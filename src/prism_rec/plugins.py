"""Plug-ins of other packages: kinds of settings named by entry points, next to the kinds of this library."""

from dataclasses import dataclass
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from prism_rec.config import Config
from prism_rec.errors import InputError


@dataclass(frozen=True)
class Kinds:
    """Annotates a union of settings that differ by `kind`; installed packages may add members.

    Args:
        group: of the entry points that name further settings, such as `prism_rec.backbones`.
        base: the class that all of these settings derive from; it declares what the library asks of them.

    Raises:
        InputError: a plug-in that cannot be imported, is not a `base` with a `kind`, or has the kind of another.
    """

    group: str
    base: type[Config] = Config

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the union, with the plug-ins installed now."""
        settings = {_kind(member): member for member in get_args(union)}
        for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name):
            member = _load(entry, self.base)
            if _kind(member) in settings:
                raise InputError(
                    f"{_name(entry)}: there is a kind {_kind(member)!r} already; rename this one"
                )
            settings[_kind(member)] = member
        union = reduce(or_, settings.values())
        return handler.generate_schema(Annotated[union, Field(discriminator="kind")])


def _load(entry: EntryPoint, base: type[Config]) -> type[Config]:
    try:
        member = entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"{_name(entry)} cannot be imported ({error}); fix or uninstall it") from None
    if not (isinstance(member, type) and issubclass(member, base) and "kind" in member.model_fields):
        raise InputError(f"{_name(entry)} is not a {base.__name__} with a kind; see docs/plugins.md")
    return member


def _kind(settings: type[Config]) -> str:
    return str(settings.model_fields["kind"].default)


def _name(entry: EntryPoint) -> str:
    return f"plug-in {entry.value} of {entry.dist.name if entry.dist else 'an unknown package'}"
