"""The jobs of a recipe: searches for settings, if it asks for them, and cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_rec.comparison.recipe import Recipe
from prism_rec.data.dataset import Dataset
from prism_rec.errors import InputError, SettingsError
from prism_rec.training.config import BUDGET, RunConfig
from prism_rec.tuning.search import SECTION, Search
from prism_rec.tuning.tune import SearchJob, read_best


@dataclass(frozen=True)
class Cell:
    """One model on one dataset with one seed: a run folder with a result."""

    data: str
    """Name of the dataset."""
    model: str
    """Name of the model."""
    seed: int
    """Seed of the run."""
    config: RunConfig
    """All settings of the run."""
    dataset: Path
    """Folder of the dataset."""
    folder: Path
    """Folder of the run."""
    pool: Path
    """Folder through which the cells share the files of their data."""
    search_trials: int = 0
    """Number of trials that the settings were chosen in."""

    @property
    def name(self) -> str:
        """The name of the cell in messages."""
        return f"{self.data}/{self.model}/seed-{self.seed}"


def plan_searches(recipe: Recipe, out: Path) -> list[SearchJob]:
    """Return the searches that come before the cells, data by data and model by model.

    All seeds of a model are trained with the best settings of its search.

    Raises:
        InputError: wrong settings, or budgets that differ between models.
    """
    models = _read_models(recipe)
    return [
        SearchJob(f"{data}/{model}/search", given, dataset, _search_folder(out, data, model))
        for data, dataset in recipe.data.items()
        for model, given in models.items()
        if isinstance(given, Search)
    ]


def plan(recipe: Recipe, out: Path) -> list[Cell]:
    """Return the cells in the order of the table: data by data, model by model, seed by seed.

    Raises:
        InputError: wrong settings, budgets that differ between models, or a search that is not finished.
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
    """Check that every model fits every dataset, before any of them trains.

    Raises:
        InputError: wrong settings, budgets that differ between models, a model that does not fit, or data that was
            changed since it was written.
    """
    models = _read_models(recipe)
    for data, folder in recipe.data.items():
        dataset = Dataset.load(folder)
        dataset.require_targets("validation", "test")
        features = dataset.features
        for model, given in models.items():
            try:
                _settings(given).model.check_fit(features)
            except InputError as error:
                raise SettingsError(f"model {model} does not fit data {data}: {error}") from None


def cell_folder(out: Path, data: str, model: str, seed: int) -> Path:
    """Return the folder of a cell."""
    return out / "cells" / data / model / f"seed-{seed}"


def _read_models(recipe: Recipe) -> dict[str, RunConfig | Search]:
    """Return the settings of each model, or the search for them."""
    models: dict[str, RunConfig | Search] = {}
    for model, changes in recipe.models.items():
        values, where = _merge(recipe.base, changes), f"model {model}"
        models[model] = given = (Search if SECTION in values else RunConfig).parse(values, where)
        if "seed" in _settings(given).train.model_fields_set:
            raise SettingsError("has no effect in a recipe; list it under seeds", where, "train.seed")
    if len({_settings(given).seen for given in models.values()}) > 1:
        raise SettingsError(
            "models differ in `seen`, so their numbers answer different questions; set base.seen"
        )
    if not recipe.unequal_budget:
        _require_equal_budgets(models)
    return models


def _require_equal_budgets(models: Mapping[str, RunConfig | Search]) -> None:
    (first, expected), *others = ((model, _budget(given)) for model, given in models.items())
    for model, budget in others:
        for key, value in budget.items():
            if value != expected[key]:
                raise SettingsError(
                    f"models {first} and {model} differ in {key} ({expected[key]} and {value}), so that one may learn "
                    "longer; make them equal, or set unequal_budget: true"
                )


def _budget(given: RunConfig | Search) -> dict[str, Any]:
    """Return the settings that decide how long a model may learn and be searched."""
    budget = {f"train.{key}": getattr(_settings(given).train, key) for key in BUDGET}
    tune = given.tune if isinstance(given, Search) else None
    return budget | {f"tune.{key}": getattr(tune, key, None) for key in ("trials", "prune_after")}


def _settings(given: RunConfig | Search) -> RunConfig:
    return given.settings({}) if isinstance(given, Search) else given


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with changes, section by section; a section of another `kind` is replaced as a whole."""
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
