"""What a recipe comes to: searches for settings, where it asks for them, and cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_rec.compare.recipe import Recipe
from prism_rec.data.dataset import Dataset
from prism_rec.errors import InputError
from prism_rec.train import RunConfig
from prism_rec.train.config import BUDGET
from prism_rec.tune.run import read_best
from prism_rec.tune.search import SECTION, Search


@dataclass(frozen=True)
class ModelSearch:
    """The search for one model's settings on one data set; every seed is then trained with what it finds."""

    data: str
    model: str
    search: Search
    dataset: Path
    folder: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.data}/{self.model}/search"

    @property
    def steps(self) -> int:
        """How many trials it has."""
        return self.search.tune.trials


@dataclass(frozen=True)
class Cell:
    """One model on one data set with one seed: a run folder with a result, its data shared through a pool."""

    data: str
    model: str
    seed: int
    config: RunConfig
    dataset: Path
    folder: Path
    pool: Path
    search_trials: int = 0
    """How many trials the settings were chosen in."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.data}/{self.model}/seed-{self.seed}"

    @property
    def steps(self) -> int:
        """How many epochs it may have."""
        return self.config.train.epochs


def plan_searches(recipe: Recipe, out: Path) -> list[ModelSearch]:
    """Return the searches that come before the cells, data by data and model by model.

    Raises:
        InputError: settings that are wrong, or budgets that differ between models.
    """
    models = _read_models(recipe)
    return [
        ModelSearch(data, model, given, dataset, _search_folder(out, data, model))
        for data, dataset in recipe.data.items()
        for model, given in models.items()
        if isinstance(given, Search)
    ]


def plan(recipe: Recipe, out: Path) -> list[Cell]:
    """Return the cells in the order of the table: data by data, model by model, seed by seed.

    Raises:
        InputError: settings that are wrong, budgets that differ between models, or a search that is not finished.
    """
    cells = []
    for data, dataset in recipe.data.items():
        for model, given in _read_models(recipe).items():
            if isinstance(given, Search):
                config, trials = read_best(_search_folder(out, data, model)), given.tune.trials
            else:
                config, trials = given, 0
            for seed in recipe.seeds:
                folder, seeded = cell_folder(out, data, model, seed), _with_seed(config, seed)
                cells.append(Cell(data, model, seed, seeded, dataset, folder, out / "data", trials))
    return cells


def check_models(recipe: Recipe) -> None:
    """Check that every model fits every data set, before hours go into those that do.

    Raises:
        InputError: settings that are wrong, budgets that differ between models, a model that does not fit, or data
            that was changed since it was written.
    """
    models = _read_models(recipe)
    for data, folder in recipe.data.items():
        features = Dataset.load(folder).features
        for model, given in models.items():
            try:
                _settings(given).model.check_fit(features)
            except InputError as error:
                raise InputError(f"model {model} does not fit data {data}: {error}") from None


def cell_folder(out: Path, data: str, model: str, seed: int) -> Path:
    """Return where a cell lies."""
    return out / "cells" / data / model / f"seed-{seed}"


def _read_models(recipe: Recipe) -> dict[str, RunConfig | Search]:
    """Return each model's settings, or the search for them."""
    models: dict[str, RunConfig | Search] = {}
    for model, changes in recipe.models.items():
        values, where = _merge(recipe.base, changes), f"model {model}"
        models[model] = given = (Search if SECTION in values else RunConfig).parse(values, where)
        if "seed" in _settings(given).train.model_fields_set:
            raise InputError("train.seed in a recipe's base or models has no effect; list it under seeds")
    if not recipe.unequal_budget:
        _require_equal_budgets(models)
    return models


def _require_equal_budgets(models: Mapping[str, RunConfig | Search]) -> None:
    (first, expected), *others = ((model, _budget(given)) for model, given in models.items())
    for model, budget in others:
        for key, value in budget.items():
            if value != expected[key]:
                raise InputError(
                    f"models {first} and {model} differ in {key} ({expected[key]} and {value}), so that one may learn "
                    "longer; make them equal, or set unequal_budget: true"
                )


def _budget(given: RunConfig | Search) -> dict[str, Any]:
    """Return what decides how long a model may learn and be searched."""
    budget = {f"train.{key}": getattr(_settings(given).train, key) for key in BUDGET}
    tune = given.tune if isinstance(given, Search) else None
    return budget | {f"tune.{key}": getattr(tune, key, None) for key in ("trials", "prune_after")}


def _settings(given: RunConfig | Search) -> RunConfig:
    return given.settings({}) if isinstance(given, Search) else given


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with the changes made, section by section; a section of another `kind` is replaced whole."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _of_one_kind(old, value):
            value = _merge(old, value)
        merged[key] = value
    return merged


def _of_one_kind(base: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    return bool(changes.get("kind", base.get("kind")) == base.get("kind"))


def _with_seed(config: RunConfig, seed: int) -> RunConfig:
    return config.model_copy(update={"train": config.train.model_copy(update={"seed": seed})})


def _search_folder(out: Path, data: str, model: str) -> Path:
    return out / "searches" / data / model
