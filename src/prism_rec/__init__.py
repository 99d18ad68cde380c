"""Multimodal sequential recommendation: PRISM on any sequence model.

One function per command, the dataset, the recommender, the settings and the errors. Names are imported when they are
first used, so that `import prism_rec` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prism_rec.backbones.bsarec import BSARecConfig as BSARecConfig
    from prism_rec.backbones.esasrec import ESASRecConfig as ESASRecConfig
    from prism_rec.backbones.gru4rec import GRU4RecConfig as GRU4RecConfig
    from prism_rec.backbones.hstu import HSTUConfig as HSTUConfig
    from prism_rec.backbones.sasrec import SASRecConfig as SASRecConfig
    from prism_rec.backbones.stosa import StosaConfig as StosaConfig
    from prism_rec.comparison.compare import compare as compare
    from prism_rec.comparison.comparison import Comparison as Comparison
    from prism_rec.comparison.recipe import Recipe as Recipe
    from prism_rec.comparison.recipe import read_recipe as read_recipe
    from prism_rec.data.clean import Cleaning as Cleaning
    from prism_rec.data.dataset import Dataset as Dataset
    from prism_rec.data.exports.mmrec import MMRecFolder as MMRecFolder
    from prism_rec.data.exports.recbole import RecBoleFiles as RecBoleFiles
    from prism_rec.data.principal_axes import PrincipalAxes as PrincipalAxes
    from prism_rec.data.sources.amazon import Amazon2014 as Amazon2014
    from prism_rec.data.sources.amazon import Amazon2018 as Amazon2018
    from prism_rec.data.sources.amazon import Amazon2023 as Amazon2023
    from prism_rec.data.sources.mmrec import MMRec as MMRec
    from prism_rec.data.sources.movielens import MovieLens as MovieLens
    from prism_rec.data.sources.planted import Planted as Planted
    from prism_rec.data.sources.recbole import RecBole as RecBole
    from prism_rec.data.sources.table import Table as Table
    from prism_rec.data.sources.text import Text as Text
    from prism_rec.data.sources.yelp import Yelp as Yelp
    from prism_rec.data.split import ColdItems as ColdItems
    from prism_rec.data.split import Given as Given
    from prism_rec.data.split import LeaveOneOut as LeaveOneOut
    from prism_rec.data.split import NoSplit as NoSplit
    from prism_rec.data.split import Temporal as Temporal
    from prism_rec.errors import DamagedError as DamagedError
    from prism_rec.errors import DataError as DataError
    from prism_rec.errors import DivergedError as DivergedError
    from prism_rec.errors import FolderError as FolderError
    from prism_rec.errors import InputError as InputError
    from prism_rec.errors import SettingsError as SettingsError
    from prism_rec.events import Events as Events
    from prism_rec.events import JsonLines as JsonLines
    from prism_rec.explain.explanation import Explanation as Explanation
    from prism_rec.explain.validation_settings import ValidateExplanations as ValidateExplanations
    from prism_rec.exporting.export import export as export
    from prism_rec.exporting.formats import Onnx as Onnx
    from prism_rec.exporting.formats import TorchProgram as TorchProgram
    from prism_rec.exporting.reader import ExportedRecommender as ExportedRecommender
    from prism_rec.exporting.reader import load_exported as load_exported
    from prism_rec.exporting.settings import Export as Export
    from prism_rec.features.encoders.settings import EfficientNet as EfficientNet
    from prism_rec.features.encoders.settings import HashedText as HashedText
    from prism_rec.features.encoders.settings import HuggingFace as HuggingFace
    from prism_rec.features.encoders.settings import PictureDescriptors as PictureDescriptors
    from prism_rec.features.encoders.settings import Words as Words
    from prism_rec.features.engines.local import LocalEngine as LocalEngine
    from prism_rec.features.engines.ray import RayEngine as RayEngine
    from prism_rec.fusion.baselines import ConcatFusionConfig as ConcatFusionConfig
    from prism_rec.fusion.baselines import GateFusionConfig as GateFusionConfig
    from prism_rec.fusion.baselines import IdFusionConfig as IdFusionConfig
    from prism_rec.fusion.baselines import SumFusionConfig as SumFusionConfig
    from prism_rec.fusion.prism.nested import NestedPrismConfig as NestedPrismConfig
    from prism_rec.fusion.prism.prism import PrismConfig as PrismConfig
    from prism_rec.fusion.prism.published import PublishedPrismConfig as PublishedPrismConfig
    from prism_rec.fusion.prism.with_experts import ExpertPrismConfig as ExpertPrismConfig
    from prism_rec.jobs.local import LocalJobs as LocalJobs
    from prism_rec.jobs.ray import RayJobs as RayJobs
    from prism_rec.model.config import ModelConfig as ModelConfig
    from prism_rec.objectives.cross_entropy import CrossEntropyConfig as CrossEntropyConfig
    from prism_rec.objectives.cross_entropy import SampledCrossEntropyConfig as SampledCrossEntropyConfig
    from prism_rec.objectives.indirec.objective import InDiRecConfig as InDiRecConfig
    from prism_rec.objectives.sampled import (
        BayesianPersonalisedRankingConfig as BayesianPersonalisedRankingConfig,
    )
    from prism_rec.objectives.sampled import BinaryCrossEntropyConfig as BinaryCrossEntropyConfig
    from prism_rec.objectives.sampled import (
        GeneralisedBinaryCrossEntropyConfig as GeneralisedBinaryCrossEntropyConfig,
    )
    from prism_rec.objectives.stosa import StosaObjectiveConfig as StosaObjectiveConfig
    from prism_rec.planning.plan import Plan as Plan
    from prism_rec.planning.plan import plan as plan
    from prism_rec.recommend.recommender import Recommender as Recommender
    from prism_rec.recommend.recommender import load as load
    from prism_rec.runs.combine import ensemble as ensemble
    from prism_rec.runs.ensemble import Ensemble as Ensemble
    from prism_rec.runs.evaluate import evaluate as evaluate
    from prism_rec.runs.refit import refit as refit
    from prism_rec.runs.run import Run as Run
    from prism_rec.runs.train import train as train
    from prism_rec.stages.build import Build as Build
    from prism_rec.stages.build import build as build
    from prism_rec.stages.embed import Embed as Embed
    from prism_rec.stages.embed import embed as embed
    from prism_rec.stages.export_data import ExportData as ExportData
    from prism_rec.stages.export_data import export_data as export_data
    from prism_rec.stages.images import Images as Images
    from prism_rec.stages.images import images as images
    from prism_rec.stages.prepare import Prepare as Prepare
    from prism_rec.stages.prepare import prepare as prepare
    from prism_rec.stages.validate_explanations import Findings as Findings
    from prism_rec.stages.validate_explanations import validate_explanations as validate_explanations
    from prism_rec.training.config import RunConfig as RunConfig
    from prism_rec.training.config import TrainConfig as TrainConfig
    from prism_rec.tuning.search import Search as Search
    from prism_rec.tuning.search import TuneConfig as TuneConfig
    from prism_rec.tuning.search import read_search as read_search
    from prism_rec.tuning.tune import tune as tune

_NAMES = {
    "backbones.bsarec": ("BSARecConfig",),
    "backbones.esasrec": ("ESASRecConfig",),
    "backbones.gru4rec": ("GRU4RecConfig",),
    "backbones.hstu": ("HSTUConfig",),
    "backbones.sasrec": ("SASRecConfig",),
    "backbones.stosa": ("StosaConfig",),
    "comparison.compare": ("compare",),
    "comparison.comparison": ("Comparison",),
    "comparison.recipe": ("Recipe", "read_recipe"),
    "data.clean": ("Cleaning",),
    "data.dataset": ("Dataset",),
    "data.exports.mmrec": ("MMRecFolder",),
    "data.exports.recbole": ("RecBoleFiles",),
    "data.principal_axes": ("PrincipalAxes",),
    "data.sources.amazon": ("Amazon2014", "Amazon2018", "Amazon2023"),
    "data.sources.mmrec": ("MMRec",),
    "data.sources.movielens": ("MovieLens",),
    "data.sources.planted": ("Planted",),
    "data.sources.recbole": ("RecBole",),
    "data.sources.table": ("Table",),
    "data.sources.text": ("Text",),
    "data.sources.yelp": ("Yelp",),
    "data.split": ("ColdItems", "Given", "LeaveOneOut", "NoSplit", "Temporal"),
    "errors": ("DamagedError", "DataError", "DivergedError", "FolderError", "InputError", "SettingsError"),
    "events": ("Events", "JsonLines"),
    "explain.explanation": ("Explanation",),
    "exporting.export": ("export",),
    "exporting.formats": ("Onnx", "TorchProgram"),
    "exporting.reader": ("ExportedRecommender", "load_exported"),
    "exporting.settings": ("Export",),
    "explain.validation_settings": ("ValidateExplanations",),
    "features.encoders.settings": (
        "EfficientNet",
        "HashedText",
        "HuggingFace",
        "PictureDescriptors",
        "Words",
    ),
    "features.engines.local": ("LocalEngine",),
    "features.engines.ray": ("RayEngine",),
    "fusion.baselines": ("ConcatFusionConfig", "GateFusionConfig", "IdFusionConfig", "SumFusionConfig"),
    "fusion.prism.with_experts": ("ExpertPrismConfig",),
    "fusion.prism.nested": ("NestedPrismConfig",),
    "fusion.prism.published": ("PublishedPrismConfig",),
    "fusion.prism.prism": ("PrismConfig",),
    "jobs.local": ("LocalJobs",),
    "jobs.ray": ("RayJobs",),
    "model.config": ("ModelConfig",),
    "objectives.cross_entropy": ("CrossEntropyConfig", "SampledCrossEntropyConfig"),
    "objectives.indirec.objective": ("InDiRecConfig",),
    "objectives.sampled": (
        "BayesianPersonalisedRankingConfig",
        "BinaryCrossEntropyConfig",
        "GeneralisedBinaryCrossEntropyConfig",
    ),
    "objectives.stosa": ("StosaObjectiveConfig",),
    "planning.plan": ("Plan", "plan"),
    "recommend.recommender": ("Recommender", "load"),
    "runs.combine": ("ensemble",),
    "runs.ensemble": ("Ensemble",),
    "runs.evaluate": ("evaluate",),
    "runs.refit": ("refit",),
    "runs.run": ("Run",),
    "runs.train": ("train",),
    "stages.build": ("Build", "build"),
    "stages.embed": ("Embed", "embed"),
    "stages.export_data": ("ExportData", "export_data"),
    "stages.images": ("Images", "images"),
    "stages.prepare": ("Prepare", "prepare"),
    "stages.validate_explanations": ("Findings", "validate_explanations"),
    "training.config": ("RunConfig", "TrainConfig"),
    "tuning.search": ("Search", "TuneConfig", "read_search"),
    "tuning.tune": ("tune",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("prism_rec.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'prism_rec' has no attribute {name!r}")
    return getattr(import_module(f"prism_rec.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
