"""Settings that a recipe sweeps: models that are alike in everything but one number."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prism_rec.compare.comparison import Arm

FEWEST_VALUES = 3


class Sweep(NamedTuple):
    """Models that differ in one setting alone, by its rising value."""

    setting: str
    """Its dotted key in a run's settings, such as `model.fusion.lambdas.synergy`."""
    values: tuple[float, ...]
    arms: tuple[Arm, ...]


def find_sweeps(arms: Sequence[Arm]) -> list[Sweep]:
    """Return every setting that takes three values or more among models that are otherwise the same.

    Args:
        arms: models on one data set; one may belong to several sweeps, such as the middle of a star.
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
