"""Multimodal sequential recommendation: PRISM on any sequence model.

One function per command, the dataset, the recommender, the settings and the errors. Names are imported when they are
first used, so that `import prism_rec` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prism_rec.comparison.compare import compare as compare
    from prism_rec.comparison.recipe import Recipe as Recipe
    from prism_rec.comparison.recipe import read_recipe as read_recipe
    from prism_rec.data.dataset import Dataset as Dataset
    from prism_rec.errors import DamagedError as DamagedError
    from prism_rec.errors import DataError as DataError
    from prism_rec.errors import DivergedError as DivergedError
    from prism_rec.errors import FolderError as FolderError
    from prism_rec.errors import InputError as InputError
    from prism_rec.errors import SettingsError as SettingsError
    from prism_rec.events import Events as Events
    from prism_rec.recommend.recommender import Recommender as Recommender
    from prism_rec.recommend.recommender import load as load
    from prism_rec.runs.evaluate import evaluate as evaluate
    from prism_rec.runs.run import Run as Run
    from prism_rec.runs.train import train as train
    from prism_rec.stages.build import Build as Build
    from prism_rec.stages.build import build as build
    from prism_rec.stages.embed import Embed as Embed
    from prism_rec.stages.embed import embed as embed
    from prism_rec.stages.images import Images as Images
    from prism_rec.stages.images import images as images
    from prism_rec.training.config import RunConfig as RunConfig
    from prism_rec.tuning.search import Search as Search
    from prism_rec.tuning.search import read_search as read_search
    from prism_rec.tuning.tune import tune as tune

_HOMES = {
    "Build": "stages.build",
    "DamagedError": "errors",
    "DataError": "errors",
    "Dataset": "data.dataset",
    "DivergedError": "errors",
    "Embed": "stages.embed",
    "Events": "events",
    "FolderError": "errors",
    "Images": "stages.images",
    "InputError": "errors",
    "Recipe": "comparison.recipe",
    "Recommender": "recommend.recommender",
    "Run": "runs.run",
    "RunConfig": "training.config",
    "Search": "tuning.search",
    "SettingsError": "errors",
    "build": "stages.build",
    "compare": "comparison.compare",
    "embed": "stages.embed",
    "evaluate": "runs.evaluate",
    "images": "stages.images",
    "load": "recommend.recommender",
    "read_recipe": "comparison.recipe",
    "read_search": "tuning.search",
    "train": "runs.train",
    "tune": "tuning.tune",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("prism_rec.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'prism_rec' has no attribute {name!r}")
    return getattr(import_module(f"prism_rec.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
