"""The settings of a model, and the model that they make."""

from typing import Annotated

import torch
from pydantic import Field

from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.config import Config
from prism_rec.data.feature_table import FeatureTable
from prism_rec.errors import InputError
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.model.items import ItemTable
from prism_rec.model.recommender import Candidates, SequenceRecommender
from prism_rec.plugins import Kinds

BackboneConfig = Annotated[
    SASRecConfig | ESASRecConfig | BSARecConfig | GRU4RecConfig | StosaConfig, Kinds("prism_rec.backbones")
]
FusionConfig = Annotated[
    IdFusionConfig
    | SumFusionConfig
    | ConcatFusionConfig
    | GateFusionConfig
    | PrismConfig
    | PublishedPrismConfig,
    Kinds("prism_rec.fusions"),
]


class ModelConfig(Config):
    """Settings of a model.

    `width` is D; `max_length` how many of a user's latest items the backbone sees; `candidates` whether an item is
    scored by its id alone or by its components too; `modalities` which features are used (all of the data's if not
    given; the fusion `id` uses none).
    """

    width: int = Field(64, ge=1)
    max_length: int = Field(50, ge=1)
    candidates: Candidates = "content"
    modalities: tuple[str, ...] | None = Field(None, min_length=1)
    fusion: FusionConfig = IdFusionConfig()
    backbone: BackboneConfig = SASRecConfig()

    def build(self, number_of_items: int, features: dict[str, FeatureTable]) -> SequenceRecommender:
        """Make the model with fresh weights.

        Args:
            number_of_items: N.
            features: a table a modality, as the dataset has them.

        Raises:
            InputError: a modality that the data lacks, a fusion that needs one where there is none, or settings
                that do not go together.
        """
        used = self._used_features(features)
        backbone = self.backbone.build(self.width, self.max_length)
        items = ItemTable(
            number_of_items,
            self.width,
            {name: torch.from_numpy(table.vectors) for name, table in used.items()},
            {name: torch.from_numpy(table.present) for name, table in used.items()},
            backbone.streams,
        )
        fusion = self.fusion.build(items.modalities, self.width)
        return SequenceRecommender(items, fusion, backbone, self.candidates)

    def check_fit(self, features: dict[str, FeatureTable]) -> None:
        """Check that the model can be built on some features, without building one as large as the catalogue.

        Raises:
            InputError: see `build`.
        """
        # Padding stands for the whole catalogue: whether a model fits is a matter of names and widths alone.
        padding = {
            name: FeatureTable(table.vectors[:1], table.present[:1]) for name, table in features.items()
        }
        self.build(0, padding)

    def _used_features(self, features: dict[str, FeatureTable]) -> dict[str, FeatureTable]:
        for name in self.modalities or ():
            if name not in features:
                have = ", ".join(features) or "none"
                raise InputError(
                    f"model.modalities: the data has no {name!r} (it has: {have}); prepare it with --features"
                )
        if self.fusion.kind == "id":
            return {}
        used = {name: features[name] for name in self.modalities or features}
        if not used:
            raise InputError(
                f"fusion {self.fusion.kind} needs features and the data has none; "
                "prepare it with --features NAME=FILE or take the fusion id"
            )
        return used
