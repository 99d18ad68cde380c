"""A recipe: which models are compared, on which data, with which seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from prism_rec.config import Config, name_origin, read_yaml
from prism_rec.errors import SettingsError
from prism_rec.evaluation.metrics import ACCURACY_PATTERN
from prism_rec.inputs import checked

# Names become folders and columns, so they have no character with a meaning in paths or tables.
Name = Annotated[str, StringConstraints(pattern=r"^[^\W_][\w.+-]*$", max_length=60)]
MetricName = Annotated[str, StringConstraints(pattern=ACCURACY_PATTERN)]

POPULARITY = "popularity"


class Recipe(Config):
    """The settings of a comparison."""

    base: dict[str, Any] = {}
    """The settings of a run (features, model, objective, train) that all models share. With a section `tune`, the
    settings of every model are searched first, on each dataset."""
    models: dict[Name, dict[str, Any]] = Field(min_length=1)
    """Each model by its name, with its changes to `base`; a model may have a section `tune` of its own."""
    data: dict[Name, Path] = {}
    """Dataset folders by name."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field((0,), min_length=1)
    """Seeds; every model is trained with each of them."""
    reference: str | None = None
    """The model that the others are tested against; if not given, the first one."""
    against: dict[Name, Name] = {}
    """Other references, by model: for instance, a model may be tested against its own backbone."""
    metrics: tuple[MetricName, ...] = Field(("recall@10", "ndcg@10"), min_length=1)
    """Metrics that are shown and tested; sentences and charts are about the first one."""
    popularity: bool = False
    """Add a row `popularity`, which ranks items by their training events; it may be the reference too."""
    unequal_budget: bool = False
    """Allow models with different epochs, patience or trials."""
    threads: int = Field(1, ge=1, le=4096)
    """Threads of each cell."""
    jobs: int | None = Field(None, ge=1, le=4096)
    """How many cells train at the same time; if not given, as many as there are cores for, and one on a GPU."""

    @model_validator(mode="before")
    @classmethod
    def _takes_the_first_as_reference(cls, values: Any) -> Any:
        models = values.get("models") if isinstance(values, Mapping) else None
        if isinstance(models, Mapping) and models and values.get("reference") is None:
            return {**values, "reference": next(iter(models))}
        return values

    @model_validator(mode="after")
    def _names_what_there_is(self) -> "Recipe":
        if len(set(self.seeds)) < len(self.seeds):
            raise SettingsError(f"seeds {list(self.seeds)} has a seed twice; remove one")
        if self.popularity and POPULARITY in self.models:
            raise SettingsError(f"a model has the name of the row {POPULARITY}; rename the model")
        named = [
            ("reference", self.reference),
            *(("against", name) for pair in self.against.items() for name in pair),
        ]
        for key, name in named:
            if name not in self.rows:
                raise SettingsError(f"{key}: {name!r} is not one of the models: {', '.join(self.rows)}")
        return self

    @property
    def rows(self) -> tuple[str, ...]:
        """The models, then popularity if it is wanted."""
        return (*self.models, POPULARITY) if self.popularity else tuple(self.models)

    def reference_of(self, row: str) -> str | None:
        """Return the reference of a row; None for the reference itself."""
        other = self.against.get(row, self.reference)
        return None if other == row else other


@checked
def read_recipe(path: Path, overrides: Sequence[str] = (), data: Sequence[str] = ()) -> Recipe:
    """Read a recipe, with dotted overrides such as `base.train.epochs=5`.

    Args:
        path: a YAML file.
        overrides: as in `read_yaml`.
        data: `NAME=FOLDER`, or only a folder, whose name is then the data's; replaces the recipe's data.

    Raises:
        InputError: see `read_yaml`; an unknown key, a bad name, no data, or a reference that is not a model.
    """
    values = read_yaml(path, overrides)
    if "model" in values:
        raise SettingsError(f"{path} has the settings of one run; run it with prism-rec train")
    for section in sorted(values.keys() & {"train", "objective"}):
        raise SettingsError(f"write it below base, as base.{section}", name_origin(path, overrides), section)
    if data:
        values["data"] = dict(_name_folder(text) for text in data)
    recipe = Recipe.parse(values, name_origin(path, overrides))
    if not recipe.data:
        raise SettingsError("`data` is missing; add {NAME: FOLDER}", str(path))
    return recipe


def _name_folder(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    return (name, folder) if equals else (Path(text).name, text)
