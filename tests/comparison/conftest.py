from comparison.tiny import prepared, recipe

__all__ = ["prepared", "recipe"]
