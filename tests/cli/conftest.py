from comparison.tiny import prepared, recipe
from features.images.picture_server import server

__all__ = ["prepared", "recipe", "server"]
