"""A search: a run's settings, which of them may change, and the budget."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from prism_rec.config import Config, name_origin, read_yaml, set_key
from prism_rec.errors import InputError
from prism_rec.train import RunConfig
from prism_rec.train.config import BUDGET
from prism_rec.tune.ranges import Range, Suggests, Value

SECTION = "tune"


class TuneConfig(Config):
    """The section `tune` beside a run's settings.

    `space` says for dotted keys such as `train.learning_rate` what they may be; `trials` how many are made, those that
    are cut short, refused or fail among them, with proposals drawn from `seed`. A trial whose validation metric is
    below the median of the finished ones at the same epoch is cut short, though never in its first `prune_after`
    epochs, nor before five trials are finished; null: no trial is.
    """

    trials: int = Field(20, ge=1)
    seed: int = Field(0, ge=0)
    prune_after: int | None = Field(10, ge=0)
    space: dict[str, Range] = Field(min_length=1)


@dataclass(frozen=True)
class Search:
    """A run's settings as plain values, and what is searched in them; made by `parse`."""

    base: dict[str, Any]
    tune: TuneConfig
    where: str

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "config") -> "Search":
        """Check a run's settings with a section `tune`.

        Args:
            values: nested mappings.
            where: what an error calls their place.

        Raises:
            InputError: wrong settings, nothing to search, a key that no run has, or one that is part of the budget.
        """
        base = {key: value for key, value in values.items() if key != SECTION}
        if not isinstance(values.get(SECTION), Mapping):
            raise InputError(
                f"{where} has no section tune; say there what may change, as docs/how-to/compare.md does"
            )
        section = {SECTION: values[SECTION]}
        search = cls(base, _File.parse(section, where).tune, where)
        RunConfig.parse(base, where)
        for key, span in search.tune.space.items():
            section_name, _, name = key.partition(".")
            if section_name == "train" and name in (*BUDGET, "seed"):
                raise InputError(f"{where}: tune.space.{key} is the same for every trial; set it in train")
            for end in span.ends:
                search.settings({key: end})
        return search

    def propose(self, trial: Suggests) -> dict[str, Value]:
        """Return a trial's values by key, in the order of the file."""
        return {key: span.suggest(trial, key) for key, span in self.tune.space.items()}

    def settings(self, chosen: Mapping[str, Value]) -> RunConfig:
        """Return a run's settings with some values in place of the file's.

        Raises:
            InputError: they don't go together.
        """
        values = deepcopy(self.base)
        # Kinds first: another one clears its section.
        for key, value in sorted(chosen.items(), key=lambda one: not one[0].endswith("kind")):
            set_key(values, key, value, f"{self.where}: tune.space.{key}")
        return RunConfig.parse(values, self.where)


class _File(Config):
    """So that an error names a key as the file has it."""

    tune: TuneConfig


def read_search(path: Path, overrides: Sequence[str] = ()) -> Search:
    """Read a YAML file with a run's settings and a section `tune`; see `read_yaml` and `Search.parse`."""
    return Search.parse(read_yaml(path, overrides), name_origin(path, overrides))
