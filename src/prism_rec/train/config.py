"""The settings of a training run."""

from typing import Literal

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.controls import Control
from prism_rec.errors import InputError
from prism_rec.evaluate.metrics import ACCURACY_PATTERN
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.config import ObjectiveConfig
from prism_rec.objectives.cross_entropy import CrossEntropyConfig

BUDGET = ("epochs", "max_targets", "patience", "validate_every", "metric")
"""Settings of training that decide how long a model may learn and which of its epochs is taken."""


class TrainConfig(Config):
    """Settings of the loop.

    `patience` counts validations without a better `metric`; `weight_decay` is Adam's L2 term, or AdamW's decoupled
    one; `gradient_clip` bounds the norm of all gradients together; `max_targets` bounds the next items that an epoch
    trains: where there are more, each epoch has a new random part of the users (of InDiRec's: of the segments);
    `average` is the decay per step of a moving average of the weights, which is validated and saved in their place; 0:
    none. `rank_batch_size` is the number of users ranked at once.
    """

    epochs: int = Field(200, ge=1)
    max_targets: int | None = Field(None, ge=1)
    batch_size: int = Field(256, ge=1)
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    average: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float | None = Field(None, gt=0)
    validate_every: int = Field(1, ge=1)
    patience: int = Field(10, ge=1)
    metric: str = Field("ndcg@10", pattern=ACCURACY_PATTERN)
    rank_batch_size: int = Field(256, ge=1)
    seed: int = Field(0, ge=0)


class RunConfig(Config):
    """All that a run is made of: what `prism-rec train CONFIG` reads, and what stands in its folder afterwards.

    `features` says what the model gets for each item's pictures and texts: its own (`given`), or a control, drawn with
    the seed: another item's (`shuffled`) or noise (`random`); see `data.controls`. `model.modalities` says which.
    """

    features: Control = "given"
    model: ModelConfig = ModelConfig()
    objective: ObjectiveConfig = CrossEntropyConfig()
    train: TrainConfig = TrainConfig()

    @model_validator(mode="after")
    def _goes_together(self) -> "RunConfig":
        self.objective.check(self.model)
        if self.features != "given" and self.model.fusion.kind == "id":
            raise InputError(
                f"features: {self.features} changes nothing with the fusion id; take another fusion"
            )
        return self
