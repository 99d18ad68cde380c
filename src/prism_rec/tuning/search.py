"""A search: the settings of a run, which of them may change, and the budget."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from prism_rec.config import Config, name_origin, read_yaml, set_key
from prism_rec.errors import SettingsError
from prism_rec.inputs import checked
from prism_rec.training.config import BUDGET, RunConfig
from prism_rec.tuning.ranges import Range, Suggests, Value

SECTION = "tune"


class TuneConfig(Config):
    """The section `tune` next to a run's settings."""

    trials: int = Field(20, ge=1)
    """Number of trials, including pruned, refused and failed ones."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Fixes the proposals."""
    prune_after: int | None = Field(10, ge=0)
    """Number of epochs that no trial is pruned in. Later, a trial ends if its validation metric is below the median of
    the finished trials at the same epoch, and at least five are finished. Null: no trial is pruned."""
    space: dict[str, Range] = Field(min_length=1)
    """The settings to search, by dotted key such as `train.learning_rate`, and the values that each may have."""


@dataclass(frozen=True)
class Search:
    """The settings of a run as plain values, and the ranges that are searched; made by `parse`."""

    base: dict[str, Any]
    """The settings of a run, as nested mappings."""
    tune: TuneConfig
    """The ranges that are searched, and the budget."""
    where: str
    """How errors name the place of the settings."""

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "config") -> "Search":
        """Check a run's settings with a section `tune`.

        Args:
            values: nested mappings.
            where: how errors name the place of the values, for instance the file's name.

        Raises:
            SettingsError: wrong settings, nothing to search, a key that no run has, or one that is part of the
                budget.
        """
        base = {key: value for key, value in values.items() if key != SECTION}
        if not isinstance(values.get(SECTION), Mapping):
            raise SettingsError("no section `tune`; add one with the settings to search", where)
        section = {SECTION: values[SECTION]}
        search = cls(base, _File.parse(section, where).tune, where)
        RunConfig.parse(base, where)
        for key, span in search.tune.space.items():
            section_name, _, name = key.partition(".")
            if key == "seen" or (section_name == "train" and name in (*BUDGET, "seed")):
                raise SettingsError(
                    "is the same for every trial; set it outside tune", where, f"tune.space.{key}"
                )
            for end in span.ends:
                search.settings({key: end})
        return search

    def propose(self, trial: Suggests) -> dict[str, Value]:
        """Return a trial's values by key, in the order of the file."""
        return {key: span.suggest(trial, key) for key, span in self.tune.space.items()}

    def settings(self, chosen: Mapping[str, Value]) -> RunConfig:
        """Return the settings of a run with some values replaced.

        Raises:
            SettingsError: the values do not go together.
        """
        values = deepcopy(self.base)
        # Kinds first, because another kind clears its section.
        for key, value in sorted(chosen.items(), key=lambda one: not one[0].endswith("kind")):
            set_key(values, key, value, f"{self.where}: tune.space.{key}")
        return RunConfig.parse(values, self.where)


class _File(Config):
    """Makes an error name a key as the file has it."""

    tune: TuneConfig
    """The section of that name."""


@checked
def read_search(path: Path, overrides: Sequence[str] = ()) -> Search:
    """Read a YAML file with the settings of a run and a section `tune`; see `read_yaml` and `Search.parse`."""
    return Search.parse(read_yaml(path, overrides), name_origin(path, overrides))
