"""The public surface: the names that `import prism_rec` offers, and nothing that hides one of them."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import prism_rec
from prism_rec.jobs.settings import JobEngineConfig
from prism_rec.plugins import kinds_of_field

NAMES = [
    "Amazon2014",
    "Amazon2018",
    "Amazon2023",
    "BSARecConfig",
    "BayesianPersonalisedRankingConfig",
    "BinaryCrossEntropyConfig",
    "Build",
    "Cleaning",
    "ColdItems",
    "Comparison",
    "ConcatFusionConfig",
    "CrossEntropyConfig",
    "DamagedError",
    "DataError",
    "Dataset",
    "DivergedError",
    "ESASRecConfig",
    "EfficientNet",
    "Embed",
    "Ensemble",
    "Events",
    "ExpertPrismConfig",
    "Explanation",
    "Export",
    "ExportData",
    "ExportedRecommender",
    "Findings",
    "FolderError",
    "GRU4RecConfig",
    "GateFusionConfig",
    "GeneralisedBinaryCrossEntropyConfig",
    "Given",
    "HSTUConfig",
    "HashedText",
    "HuggingFace",
    "IdFusionConfig",
    "Images",
    "InDiRecConfig",
    "InputError",
    "JsonLines",
    "LeaveOneOut",
    "LocalEngine",
    "LocalJobs",
    "MMRec",
    "MMRecFolder",
    "ModelConfig",
    "MovieLens",
    "NestedPrismConfig",
    "NoSplit",
    "Onnx",
    "PictureDescriptors",
    "Plan",
    "Planted",
    "Prepare",
    "PrincipalAxes",
    "PrismConfig",
    "PublishedPrismConfig",
    "RayEngine",
    "RayJobs",
    "RecBole",
    "RecBoleFiles",
    "Recipe",
    "Recommender",
    "Run",
    "RunConfig",
    "SASRecConfig",
    "SampledCrossEntropyConfig",
    "Search",
    "SettingsError",
    "StosaConfig",
    "StosaObjectiveConfig",
    "SumFusionConfig",
    "Table",
    "Temporal",
    "Text",
    "TorchProgram",
    "TrainConfig",
    "TuneConfig",
    "ValidateExplanations",
    "Words",
    "Yelp",
    "build",
    "compare",
    "embed",
    "ensemble",
    "evaluate",
    "export",
    "export_data",
    "images",
    "load",
    "load_exported",
    "plan",
    "prepare",
    "read_recipe",
    "read_search",
    "refit",
    "train",
    "tune",
    "validate_explanations",
]


def test_the_exported_names() -> None:
    assert sorted(prism_rec.__all__) == NAMES


def test_every_name_is_there_and_documented() -> None:
    for name in NAMES:
        found = getattr(prism_rec, name)
        assert found.__name__ == name
        assert found.__doc__, name


def test_every_choice_by_kind_is_exported() -> None:
    fields = [
        (prism_rec.Prepare, "source"),
        (prism_rec.Prepare, "split"),
        (prism_rec.Embed, "encoder"),
        (prism_rec.Embed, "engine"),
        (prism_rec.ExportData, "format"),
        (prism_rec.Export, "format"),
        (prism_rec.ModelConfig, "fusion"),
        (prism_rec.ModelConfig, "backbone"),
        (prism_rec.RunConfig, "objective"),
    ]
    for settings, name in fields:
        members = kinds_of_field(settings.model_fields[name])
        assert members, name
        ours = {member.__name__ for member in members.values() if member.__module__.startswith("prism_rec.")}
        assert ours <= set(NAMES)


def test_every_engine_of_jobs_is_exported() -> None:
    assert {member.__name__ for member in get_args(get_args(JobEngineConfig)[0])} <= set(NAMES)


def test_no_module_of_the_package_hides_a_name() -> None:
    """Importing `prism_rec.x` sets the attribute `x` of the package, whatever it was before."""
    modules = {module.name for module in pkgutil.iter_modules(prism_rec.__path__)}
    assert not modules & set(NAMES)
    importlib.import_module("prism_rec.training.loop")
    assert callable(prism_rec.train)


def test_the_import_is_cheap() -> None:
    code = "import sys, prism_rec; sys.exit(any(name in sys.modules for name in ('torch', 'polars', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_reference_lists_every_name() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    listed = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    assert set(NAMES) <= listed
