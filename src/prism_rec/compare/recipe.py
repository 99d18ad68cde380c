"""A recipe: which models meet which data with which seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from prism_rec.config import Config, name_origin, read_yaml
from prism_rec.errors import InputError
from prism_rec.evaluate.metrics import ACCURACY_PATTERN

# Names become folders and columns, so they hold nothing that a path or a table could take for its own.
Name = Annotated[str, StringConstraints(pattern=r"^[^\W_][\w.+-]*$", max_length=60)]
MetricName = Annotated[str, StringConstraints(pattern=ACCURACY_PATTERN)]

POPULARITY = "popularity"


class Recipe(Config):
    """What `prism-rec compare RECIPE` reads.

    `base` is a run's settings (model, objective, train) and `models` what each model changes in them; with a section
    `tune`, as `prism-rec tune` reads it, a model's settings are searched on each data set first. `reference` is
    the model that the others are tested against (the first if not given), unless `against` names another for one of
    them, such as its own backbone; `metrics` is what is shown and tested.
    `popularity` adds a row for items ranked by popularity, to which the reference may belong too. `threads` are a
    cell's, and as many cells run at once as that leaves cores for, or `jobs`.
    """

    base: dict[str, Any] = {}
    models: dict[Name, dict[str, Any]] = Field(min_length=1)
    data: dict[Name, Path] = {}
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), min_length=1)
    reference: str | None = None
    against: dict[Name, Name] = {}
    metrics: tuple[MetricName, ...] = Field(("recall@10", "ndcg@10"), min_length=1)
    popularity: bool = False
    unequal_budget: bool = False
    threads: int = Field(1, ge=1)
    jobs: int | None = Field(None, ge=1)

    @property
    def rows(self) -> tuple[str, ...]:
        """The models, and popularity behind them if it is wanted."""
        return (*self.models, POPULARITY) if self.popularity else tuple(self.models)

    def reference_of(self, row: str) -> str | None:
        """Return what a row is tested against; None if it is the reference of the others itself."""
        other = self.against.get(row, self.reference)
        return None if other == row else other


def read_recipe(path: Path, overrides: Sequence[str] = (), data: Sequence[str] = ()) -> Recipe:
    """Read a recipe, with dotted overrides such as `base.train.epochs=5`.

    Args:
        path: a YAML file.
        overrides: as in `read_yaml`.
        data: `NAME=FOLDER`, or a folder whose name is the data's, in place of the recipe's own.

    Raises:
        InputError: see `read_yaml`; an unknown key, a bad name, no data, or a reference that is no model.
    """
    values = read_yaml(path, overrides)
    if "model" in values:
        raise InputError(f"{path} holds the settings of one run; run it with prism-rec train")
    for section in sorted(values.keys() & {"train", "objective"}):
        raise InputError(
            f"{name_origin(path, overrides)}: {section} stands under base in a recipe: base.{section}"
        )
    if data:
        values["data"] = dict(_name_folder(text) for text in data)
    recipe = Recipe.parse(values, name_origin(path, overrides))
    if not recipe.data:
        raise InputError(f"{path} names no data; add data: {{NAME: FOLDER}}, or --data NAME=FOLDER")
    if len(set(recipe.seeds)) < len(recipe.seeds):
        raise InputError(f"{path}: seeds: {list(recipe.seeds)} names a seed twice; leave one out")
    if recipe.popularity and POPULARITY in recipe.models:
        raise InputError(f"{path}: a model is called {POPULARITY} as the row is; give it another name")
    reference = recipe.reference or next(iter(recipe.models))
    if reference not in recipe.rows:
        raise InputError(f"{path}: reference: {reference!r} is none of the models: {', '.join(recipe.rows)}")
    for name in (*recipe.against, *recipe.against.values()):
        if name not in recipe.rows:
            raise InputError(f"{path}: against: {name!r} is none of the models: {', '.join(recipe.rows)}")
    return recipe.model_copy(update={"reference": reference})


def _name_folder(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    return (name, folder) if equals else (Path(text).name, text)
