from comparison.tiny import cells, prepared, recipe

__all__ = ["cells", "prepared", "recipe"]
