"""Items, fusion and backbone put together."""

from prism_rec.model.items import ItemTable
from prism_rec.model.keys import KeyGroup, UserStates
from prism_rec.model.sequence_recommender import SequenceRecommender

__all__ = ["ItemTable", "KeyGroup", "SequenceRecommender", "UserStates"]
