"""From user states to ordered items: the one path that evaluation, recommendation and serving share."""

from prism_rec.rank.ensemble import EnsembleRanker
from prism_rec.rank.popularity import PopularityRanker
from prism_rec.rank.ranker import BestItems, CatalogueRanker, FindsItems, Ranker, Ranks, RanksItems, Tables
from prism_rec.rank.seen import NEVER, Seen

__all__ = [
    "NEVER",
    "BestItems",
    "CatalogueRanker",
    "EnsembleRanker",
    "FindsItems",
    "PopularityRanker",
    "Ranker",
    "Ranks",
    "RanksItems",
    "Seen",
    "Tables",
]
