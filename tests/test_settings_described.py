"""Every setting has a description: the string below its field, which help and docs show."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from prism_rec.config import Config
from prism_rec.testing.checks import undescribed
from prism_rec.training import RunConfig

PACKAGES = (
    "backbones",
    "cli",
    "comparison",
    "data",
    "explain",
    "explore",
    "fusion",
    "jobs",
    "model",
    "objectives",
    "serve",
    "stages",
    "training",
    "tuning",
)


def settings_of(package: str) -> Iterator[type[Config]]:
    """Yield the settings classes that the modules of a package define."""
    root = importlib.import_module(f"prism_rec.{package}")
    for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Config) and value.__module__ == module.name:
                yield value


@pytest.mark.parametrize("package", PACKAGES)
def test_every_setting_is_described(package: str) -> None:
    found = list(settings_of(package))
    assert found
    missing = {config.__name__: undescribed(config) for config in found if undescribed(config)}
    assert missing == {}


def test_a_setting_without_a_description_is_found() -> None:
    class Bare(Config):
        size: int = 1

    assert undescribed(Bare) == ["size"]
    assert RunConfig in settings_of("training")
