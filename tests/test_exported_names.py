"""The public surface: the names that `import prism_rec` offers, and nothing that hides one of them."""

import importlib
import pkgutil
import subprocess
import sys

import prism_rec

NAMES = [
    "Build",
    "DamagedError",
    "DataError",
    "Dataset",
    "DivergedError",
    "Embed",
    "Events",
    "FolderError",
    "Images",
    "InputError",
    "Recipe",
    "Recommender",
    "Run",
    "RunConfig",
    "Search",
    "SettingsError",
    "build",
    "compare",
    "embed",
    "evaluate",
    "images",
    "load",
    "read_recipe",
    "read_search",
    "train",
    "tune",
]


def test_the_exported_names() -> None:
    assert sorted(prism_rec.__all__) == NAMES


def test_every_name_is_there_and_documented() -> None:
    for name in NAMES:
        found = getattr(prism_rec, name)
        assert found.__name__ == name
        assert found.__doc__, name


def test_no_module_of_the_package_hides_a_name() -> None:
    """Importing `prism_rec.x` sets the attribute `x` of the package, whatever it was before."""
    modules = {module.name for module in pkgutil.iter_modules(prism_rec.__path__)}
    assert not modules & set(NAMES)
    importlib.import_module("prism_rec.training.loop")
    assert callable(prism_rec.train)


def test_the_import_is_cheap() -> None:
    code = "import sys, prism_rec; sys.exit(any(name in sys.modules for name in ('torch', 'polars', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
