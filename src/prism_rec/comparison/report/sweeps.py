"""Settings that a recipe sweeps: models that differ only in one number."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prism_rec.comparison.comparison import Arm

FEWEST_VALUES = 3


class Sweep(NamedTuple):
    """Models that differ only in one setting, in the order of its values."""

    setting: str
    """The dotted key of the setting, such as `model.fusion.lambdas.synergy`."""
    values: tuple[float, ...]
    """The values of the setting."""
    arms: tuple[Arm, ...]
    """The model with each value."""


def find_sweeps(arms: Sequence[Arm]) -> list[Sweep]:
    """Return every setting that has three values or more among models that are otherwise equal.

    Args:
        arms: models on one dataset; a model may belong to several sweeps.
    """
    settings = [dict(_leaves(arm.results[0].config)) for arm in arms]
    sweeps = []
    for key in dict.fromkeys(key for leaves in settings for key in leaves):
        alike: dict[str, dict[float, Arm]] = defaultdict(dict)
        for arm, leaves in zip(arms, settings, strict=True):
            value = leaves.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                rest = json.dumps({name: leaf for name, leaf in leaves.items() if name != key})
                alike[rest].setdefault(value, arm)
        for group in alike.values():
            if len(group) >= FEWEST_VALUES:
                values = tuple(sorted(group))
                sweeps.append(Sweep(key, values, tuple(group[value] for value in values)))
    return sweeps


def _leaves(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
