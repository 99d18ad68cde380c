"""Items, fusion and backbone put together."""

from prism_rec.model.items import ItemTable
from prism_rec.model.recommender import SequenceRecommender
from prism_rec.model.tuples import ItemSet, UserStates

__all__ = ["ItemSet", "ItemTable", "SequenceRecommender", "UserStates"]
