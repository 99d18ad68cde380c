from comparison.tiny import prepared, recipe
from features.images.picture_server import server
from tuning.searching import data

__all__ = ["data", "prepared", "recipe", "server"]
