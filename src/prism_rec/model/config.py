"""The settings of a model, and the model that they make."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.config import Config
from prism_rec.data.bag import BagTable
from prism_rec.data.feature_table import FeatureTable
from prism_rec.errors import InputError
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.nested import NestedPrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.model.items import ItemTable
from prism_rec.model.recommender import Candidates, SequenceRecommender
from prism_rec.model.similar import SimilarItems
from prism_rec.nn.word_bag import SparseRows, WordBag
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
    | PublishedPrismConfig
    | NestedPrismConfig,
    Kinds("prism_rec.fusions"),
]


class SimilarConfig(Config):
    """Settings of the term of similar items: how many neighbours of how many of the latest items count."""

    neighbours: int = Field(50, ge=1)
    lags: int = Field(5, ge=1)

    def build(self, features: Mapping[str, FeatureTable | BagTable]) -> SimilarItems:
        """Find the neighbours of every item."""
        return SimilarItems(features, self.neighbours, self.lags)


class ModelConfig(Config):
    """Settings of a model.

    `width` is D; `max_length` how many of a user's latest items the backbone sees; `candidates` whether an item is
    scored by its id alone or by its components too; `modalities` which features are used (all of the data's if not
    given; the fusion `id` uses none).

    `similar` adds a term for candidates that resemble the latest items; see `SimilarItems`. `word_dropout` leaves words
    of items out during training, `id_dropout` ids of items. An item with fewer than `id_events` training events is
    scored without its id, if content describes it: such an id was trained as a negative only.
    """

    width: int = Field(64, ge=1)
    max_length: int = Field(50, ge=1)
    candidates: Candidates = "content"
    modalities: tuple[str, ...] | None = Field(None, min_length=1)
    word_dropout: float = Field(0.0, ge=0, lt=1)
    similar: SimilarConfig | None = None
    id_dropout: float = Field(0.0, ge=0, lt=1)
    id_events: int = Field(1, ge=0)
    fusion: FusionConfig = IdFusionConfig()
    backbone: BackboneConfig = SASRecConfig()

    def build(
        self, number_of_items: int, features: Mapping[str, FeatureTable | BagTable]
    ) -> SequenceRecommender:
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
            {name: _tensors(table) for name, table in used.items()},
            {name: torch.from_numpy(table.present) for name, table in used.items()},
            backbone.streams,
            {name: self._word_bag(table) for name, table in used.items() if isinstance(table, BagTable)},
            self.id_dropout,
        )
        fusion = self.fusion.build(items.modalities, self.width)
        similar = None if self.similar is None else self.similar.build(self._chosen(features, "similar"))
        return SequenceRecommender(items, fusion, backbone, self.candidates, similar)

    def check_fit(self, features: Mapping[str, FeatureTable | BagTable]) -> None:
        """Check that the model can be built on some features, without building one as large as the catalogue.

        Raises:
            InputError: see `build`.
        """
        # Padding stands for the whole catalogue: whether a model fits is a matter of names and widths alone.
        self.build(0, {name: table.take(slice(1)) for name, table in features.items()})

    def _word_bag(self, table: BagTable) -> WordBag:
        return WordBag(table.width, self.width, dropout=self.word_dropout)

    def _used_features(
        self, features: Mapping[str, FeatureTable | BagTable]
    ) -> dict[str, FeatureTable | BagTable]:
        for name in self.modalities or ():
            if name not in features:
                have = ", ".join(features) or "none"
                raise InputError(
                    f"model.modalities: the data has no {name!r} (it has: {have}); prepare it with --features"
                )
        if self.fusion.kind == "id":
            return {}
        return self._chosen(features, f"fusion {self.fusion.kind}")

    def _chosen(
        self, features: Mapping[str, FeatureTable | BagTable], what: str
    ) -> dict[str, FeatureTable | BagTable]:
        chosen = {name: features[name] for name in self.modalities or features}
        if not chosen:
            raise InputError(
                f"{what} needs features and the data has none; "
                "prepare it with --features NAME=FILE or take the fusion id"
            )
        return chosen


def _tensors(table: FeatureTable | BagTable) -> Tensor | SparseRows:
    if isinstance(table, FeatureTable):
        return torch.from_numpy(table.vectors)
    rows = table.vectors
    offsets, columns = (torch.from_numpy(part.astype(np.int64)) for part in (rows.indptr[:-1], rows.indices))
    return SparseRows(offsets, columns, torch.from_numpy(rows.data))
