"""The settings of a model, and how they make it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from prism_rec.backbones.base import BackboneSettings
from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.hstu import HSTUConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.config import Config
from prism_rec.data.bag import Table
from prism_rec.errors import SettingsError
from prism_rec.fusion.base import FusionSettings
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.nested import NestedPrismConfig
from prism_rec.fusion.prism.prism import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model.items import ItemTable
from prism_rec.model.rules import SequentialRules
from prism_rec.model.sequence_recommender import Candidates, Scores, SequenceRecommender
from prism_rec.model.similar import SimilarItems
from prism_rec.plugins import Kinds

BackboneConfig = Annotated[
    SASRecConfig | ESASRecConfig | BSARecConfig | GRU4RecConfig | HSTUConfig | StosaConfig,
    Kinds("prism_rec.backbones", BackboneSettings),
]
FusionConfig = Annotated[
    IdFusionConfig
    | SumFusionConfig
    | ConcatFusionConfig
    | GateFusionConfig
    | ExpertPrismConfig
    | PublishedPrismConfig
    | NestedPrismConfig
    | PrismConfig,
    Kinds("prism_rec.fusions", FusionSettings),
]


class SimilarConfig(Config):
    """Settings of the term of similar items."""

    neighbours: int = Field(50, ge=1)
    """Number of most similar items of each item that count."""
    lags: int = Field(5, ge=1)
    """Number of latest items of a history whose neighbours count."""

    def build(self, features: Mapping[str, Table]) -> SimilarItems:
        """Find the neighbours of every item."""
        return SimilarItems(features, self.neighbours, self.lags)


class RulesConfig(Config):
    """Settings of the term of sequential rules."""

    neighbours: int = Field(20, ge=1)
    """Number of strongest rules of each item that count."""
    lags: int = Field(5, ge=1)
    """Number of latest items of a history whose rules count."""
    window: int = Field(5, ge=1)
    """How many places behind an item others count as its followers; the d-th counts 1 / d."""

    def build(self, number_of_items: int) -> SequentialRules:
        """Make the term; rules are counted when training begins."""
        return SequentialRules(number_of_items, self.neighbours, self.lags, self.window)


class ModelConfig(Config):
    """Settings of a model."""

    width: int = Field(64, ge=1)
    """D, the width of ids, components and layers."""
    max_length: int = Field(50, ge=1)
    """Number of latest items of a history that the model reads."""
    candidates: Candidates = "content"
    """How candidates are scored: by their `id` only, or by id and `content` (their components)."""
    scores: Scores = "product"
    """Inner `product` of the user's state and the item, or their `cosine`.

    Cosines need a backbone that ranks by inner products and, if candidates are scored by content, a fusion without
    personal weights. They are between -1 and 1, so they need a `model.temperature` of about 0.05 to 0.1.
    """
    temperature: float = Field(1.0, gt=0)
    """Divides products or cosines, so that a small one makes the best items stand out. The terms of similar items and
    of rules are not divided."""
    modalities: tuple[str, ...] | None = Field(None, min_length=1)
    """Features that the model uses; by default all that the data has."""
    word_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability that a word of an item is left out in a training step, if a modality is words."""
    id_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability that an item's id is left out in a training step, if candidates are scored by content."""
    id_events: int = Field(1, ge=0)
    """Training events that an item needs for its id to count, if candidates are scored by content.

    The id of an item with fewer is left out of histories after training, because it was trained as a negative only, and
    its term of the score is the usual one of recommended items. An item without any content keeps its id, and so does
    every item if the backbone scores by a distance.
    """
    similar: SimilarConfig | None = None
    """Adds a term for candidates that resemble the latest items of the history, by all modalities."""
    rules: RulesConfig | None = None
    """Adds a term for candidates that other users took after the latest items of the history; no content is needed."""
    fusion: FusionConfig = IdFusionConfig()
    """How pictures and texts become components of an item."""
    backbone: BackboneConfig = SASRecConfig()
    """The sequence encoder."""

    def build(self, number_of_items: int, features: Mapping[str, Table]) -> SequenceRecommender:
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
        items = ItemTable(
            number_of_items,
            self.width,
            used,
            backbone.streams,
            self.word_dropout,
            self.id_dropout,
            self.id_events if self.backbone.scores == "product" else 0,
        )
        fusion = self.fusion.build(items.modalities, self.width)
        similar = (
            None if self.similar is None else self.similar.build(self._chosen(features, "model.similar"))
        )
        model = SequenceRecommender(
            items,
            fusion,
            backbone,
            self.max_length,
            self.candidates,
            similar,
            None if self.rules is None else self.rules.build(number_of_items),
            self.scores,
            self.temperature,
        )
        self._check_scores(model)
        return model

    def check_fit(self, features: Mapping[str, Table]) -> None:
        """Check that the model can be built on some features, without building one as large as the catalogue.

        Raises:
            SettingsError: see `build`.
        """
        # Row 0 of each table is enough: whether a model fits depends on names and widths only.
        self.build(0, {name: table.take(slice(1)) for name, table in features.items()})

    def _check_scores(self, model: SequenceRecommender) -> None:
        if self.scores == "product":
            return
        if not model.backbone.one_query:
            raise SettingsError(
                "model.scores: cosine needs a backbone that ranks by inner products, and "
                f"{self.backbone.kind} does not; use product"
            )
        if model.content and model.fusion.personal:
            raise SettingsError(
                f"model.scores: cosine needs an item that is the same for all users, and fusion {self.fusion.kind} has "
                "personal weights; use product, another fusion, or model.candidates: id"
            )

    def _used(self, features: Mapping[str, Table]) -> dict[str, Table]:
        for name in self.modalities or ():
            if name not in features:
                have = ", ".join(features) or "none"
                raise SettingsError(
                    f"model.modalities: the data has no {name!r} (it has: {have}); add it when the data is prepared"
                )
        return self._chosen(features, f"fusion {self.fusion.kind}") if self.fusion.uses_features else {}

    def _chosen(self, features: Mapping[str, Table], what: str) -> dict[str, Table]:
        chosen = {name: features[name] for name in self.modalities or features}
        if not chosen:
            raise SettingsError(
                f"{what} needs features and the data has none; "
                "add them when the data is prepared, or use the fusion id without model.similar"
            )
        return chosen
