"""The settings of any objective."""

from typing import Annotated

from prism_rec.objectives.base import ObjectiveSettings
from prism_rec.objectives.cross_entropy import CrossEntropyConfig, SampledCrossEntropyConfig
from prism_rec.objectives.indirec.objective import InDiRecConfig
from prism_rec.objectives.sampled import (
    BayesianPersonalisedRankingConfig,
    BinaryCrossEntropyConfig,
    GeneralisedBinaryCrossEntropyConfig,
)
from prism_rec.objectives.stosa import StosaObjectiveConfig
from prism_rec.plugins import Kinds

ObjectiveConfig = Annotated[
    CrossEntropyConfig
    | SampledCrossEntropyConfig
    | BinaryCrossEntropyConfig
    | BayesianPersonalisedRankingConfig
    | GeneralisedBinaryCrossEntropyConfig
    | StosaObjectiveConfig
    | InDiRecConfig,
    Kinds("prism_rec.objectives", ObjectiveSettings),
]
