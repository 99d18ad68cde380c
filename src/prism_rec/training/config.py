"""The settings of a training run."""

from typing import Literal

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.controls import Control
from prism_rec.data.dataset import Dataset
from prism_rec.errors import SettingsError
from prism_rec.evaluation.metrics import ACCURACY_PATTERN
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.config import ObjectiveConfig
from prism_rec.objectives.cross_entropy import CrossEntropyConfig
from prism_rec.rank.seen import Seen, seen_from

BUDGET = ("epochs", "max_targets", "patience", "validate_every", "metric")
"""The settings of training that decide how long a model may learn and which of its epochs is used."""


class TrainConfig(Config):
    """Settings of the training loop."""

    epochs: int = Field(200, ge=1)
    """Most epochs."""
    max_targets: int | None = Field(None, ge=1)
    """Most training targets per epoch.

    If there are more, each epoch uses a new random part of the users (for InDiRec: of the segments).
    """
    batch_size: int = Field(256, ge=1)
    """Users per step (for InDiRec: segments), over all processes together."""
    optimizer: Literal["adam", "adamw"] = "adam"
    """The optimiser: Adam, or AdamW with decoupled weight decay."""
    sparse_ids: bool = False
    """Update only the id vectors that a step uses, without momentum; for large catalogues and sampled objectives.

    Gradients, moments and updates then take no time for the rest of the catalogue. Results differ from those of Adam.
    `weight_decay` and `gradient_clip` need all ids and are refused, and so are several processes on GPUs.
    """
    learning_rate: float = Field(1e-3, gt=0)
    """Step size of the optimiser."""
    average: float = Field(0.0, ge=0, lt=1)
    """Decay per step of a moving average of the weights, which is validated and saved instead of them. 0: none."""
    weight_decay: float = Field(0.0, ge=0)
    """The L2 term of Adam, or the decoupled weight decay of AdamW."""
    gradient_clip: float | None = Field(None, gt=0)
    """Largest norm of all gradients together; larger ones are scaled down. None: no limit."""
    validate_every: int = Field(1, ge=1)
    """Epochs from one validation to the next."""
    patience: int = Field(10, ge=1)
    """Training stops after this many validations without a better `metric`."""
    metric: str = Field("ndcg@10", pattern=ACCURACY_PATTERN)
    """The validation metric that chooses the best epoch."""
    rank_batch_size: int = Field(2048, ge=1)
    """Users ranked at once in validation and testing."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of all random numbers of a run."""

    @model_validator(mode="after")
    def _suits_sparse_ids(self) -> "TrainConfig":
        for name in ("weight_decay", "gradient_clip"):
            if self.sparse_ids and getattr(self, name):
                raise SettingsError(
                    f"every step needs all ids for `train.{name}`; leave it or `train.sparse_ids` out"
                )
        return self


class RunConfig(Config):
    """All settings of a run, as `prism-rec train CONFIG` reads them and the run folder keeps them."""

    features: Control = "given"
    """The features that the model gets for each item.

    Its own (`given`); or, as a control, another item's (`shuffled`) or noise (`random`), drawn with the seed. See
    `data.controls`. `model.modalities` says which modalities are used.
    """
    model: ModelConfig = ModelConfig()
    """The model."""
    objective: ObjectiveConfig = CrossEntropyConfig()
    """The training loss."""
    train: TrainConfig = TrainConfig()
    """The training loop."""
    seen: Seen | None = None
    """Whether items of a user's history are candidates: `remove` or `keep` them.

    Validation, testing, popularity and recommendation all do the same. None: `keep` if the data has a user's repeated
    events with an item (`cleaning.duplicates: all`), otherwise `remove`. The run folder says which.
    """

    def seen_in(self, dataset: Dataset) -> Seen:
        """Return whether items of a history are candidates; it follows from the data if it is not set."""
        return self.seen or seen_from(dataset)

    @model_validator(mode="after")
    def _fits_together(self) -> "RunConfig":
        self.objective.check(self.model)
        if self.train.sparse_ids and not self.objective.samples:
            raise SettingsError(
                f"objective {self.objective.kind} uses every id in every step, so that `train.sparse_ids` would change "
                "the results and save no time; leave it out, or use an objective that samples, such as "
                "sampled_cross_entropy"
            )
        if self.features != "given" and not self.model.fusion.uses_features:
            raise SettingsError(
                f"features: {self.features} changes nothing with the fusion {self.model.fusion.kind}; use another one"
            )
        return self
