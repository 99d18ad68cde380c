"""The settings of a model, and how they make it."""

from typing import Annotated

from pydantic import Field

from prism_rec.backbones.base import BackboneSettings
from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.config import Config
from prism_rec.data.feature_table import FeatureTable
from prism_rec.errors import SettingsError
from prism_rec.fusion.base import FusionSettings
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.model.items import ItemTable
from prism_rec.model.sequence_recommender import Candidates, SequenceRecommender
from prism_rec.plugins import Kinds

BackboneConfig = Annotated[
    SASRecConfig | ESASRecConfig | BSARecConfig | GRU4RecConfig | StosaConfig,
    Kinds("prism_rec.backbones", BackboneSettings),
]
FusionConfig = Annotated[
    IdFusionConfig
    | SumFusionConfig
    | ConcatFusionConfig
    | GateFusionConfig
    | PrismConfig
    | PublishedPrismConfig,
    Kinds("prism_rec.fusions", FusionSettings),
]


class ModelConfig(Config):
    """Settings of a model."""

    width: int = Field(64, ge=1)
    """D, the width of ids, components and layers."""
    max_length: int = Field(50, ge=1)
    """Number of latest items of a history that the model reads."""
    candidates: Candidates = "content"
    """How candidates are scored: by their `id` only, or by id and `content` (their components)."""
    modalities: tuple[str, ...] | None = Field(None, min_length=1)
    """Features that the model uses; by default all that the data has."""
    fusion: FusionConfig = IdFusionConfig()
    """What is made of pictures and texts."""
    backbone: BackboneConfig = SASRecConfig()
    """The sequence encoder."""

    def build(self, number_of_items: int, features: dict[str, FeatureTable]) -> SequenceRecommender:
        """Make the model with fresh weights.

        Args:
            number_of_items: N.
            features: one table per modality, as the dataset has them.

        Raises:
            SettingsError: a modality that the data lacks, a fusion that needs one if there is none, or settings that do
                not fit together.
        """
        used = self._used(features)
        backbone = self.backbone.build(self.width, self.max_length)
        items = ItemTable(number_of_items, self.width, used, backbone.streams)
        fusion = self.fusion.build(items.modalities, self.width)
        return SequenceRecommender(items, fusion, backbone, self.max_length, self.candidates)

    def check_fit(self, features: dict[str, FeatureTable]) -> None:
        """Check that the model can be built on some features, without building one as large as the catalogue.

        Raises:
            SettingsError: see `build`.
        """
        # Row 0 of each table is enough: whether a model fits depends on names and widths only.
        padding = {
            name: FeatureTable(table.vectors[:1], table.present[:1]) for name, table in features.items()
        }
        self.build(0, padding)

    def _used(self, features: dict[str, FeatureTable]) -> dict[str, FeatureTable]:
        for name in self.modalities or ():
            if name not in features:
                have = ", ".join(features) or "none"
                raise SettingsError(
                    f"model.modalities: the data has no {name!r} (it has: {have}); add it when the data is prepared"
                )
        if not self.fusion.uses_features:
            return {}
        used = {name: features[name] for name in self.modalities or features}
        if not used:
            raise SettingsError(
                f"fusion {self.fusion.kind} needs features and the data has none; "
                "add them when the data is prepared, or use the fusion id"
            )
        return used
