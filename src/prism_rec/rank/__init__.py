"""From user states to ordered items: the one path that evaluation, recommendation and serving share."""

from prism_rec.rank.ensemble import EnsembleRanker
from prism_rec.rank.popularity import PopularityRanker
from prism_rec.rank.ranker import CatalogueRanker, Ranker, Ranks, RanksItems, Tables
from prism_rec.rank.seen import NEVER, Seen

__all__ = [
    "NEVER",
    "CatalogueRanker",
    "EnsembleRanker",
    "PopularityRanker",
    "Ranker",
    "Ranks",
    "RanksItems",
    "Seen",
    "Tables",
]
