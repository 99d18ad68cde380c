"""Trainings with one whole number that is far too large."""

import typing
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fuzz.world import CONFIG, Case
from prism_rec import RunConfig, train
from prism_rec.config import Config, set_key
from prism_rec.plugins import kinds_of_field

_LARGE = (10**9, 10**12, 2**63 - 1, 2**63, 10**30)


def cases(world: Path) -> list[Case]:
    """Return a training for each whole number of the settings of a run and of every kind, and each large value."""
    return [
        Case(f"train {key}={value}", partial(_train, world, key, value))
        for key in sorted(set(_whole_numbers(RunConfig, "")))
        for value in _LARGE
    ]


def _whole_numbers(settings: type[Config], section: str) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        kinds = kinds_of_field(field)
        for kind, chosen in (kinds or {}).items():
            yield from (f"{kind}:{key}" for key in _whole_numbers(chosen, f"{section}{name}."))
        for one in (field.annotation, *typing.get_args(field.annotation)):
            if one is int:
                yield f"{section}{name}"
            elif isinstance(one, type) and issubclass(one, Config) and not kinds:
                yield from _whole_numbers(one, f"{section}{name}.")


def _train(world: Path, key: str, value: int) -> None:
    *kinds, key = key.split(":")
    values: dict[str, Any] = {name: {**section} for name, section in CONFIG.items()}
    values["train"] |= {"epochs": 1}
    for kind in kinds:
        set_key(values, f"{key.rpartition('.')[0]}.kind", kind, "")
    set_key(values, key, value, "")
    out = world / f"large {kinds} {key} {value}"
    train(RunConfig.parse(values), out, data=world / "data", device="cpu")
