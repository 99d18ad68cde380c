"""Multimodal sequential recommendation: PRISM on any sequence model.

Names are imported when they are asked for, so that `import prism_rec` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prism_rec.data.dataset import Dataset as Dataset
    from prism_rec.errors import InputError as InputError
    from prism_rec.recommend import Recommender as Recommender
    from prism_rec.recommend import load as load
    from prism_rec.train import RunConfig as RunConfig
    from prism_rec.train import train_run as train_run

_HOMES = {
    "Dataset": "prism_rec.data.dataset",
    "InputError": "prism_rec.errors",
    "Recommender": "prism_rec.recommend",
    "RunConfig": "prism_rec.train",
    "load": "prism_rec.recommend",
    "train_run": "prism_rec.train",
}
__all__ = ["Dataset", "InputError", "Recommender", "RunConfig", "load", "train_run"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("prism_rec.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'prism_rec' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
