"""Models x data x seeds with one budget for all -> one table that says what it does not show."""

from prism_rec.compare.comparison import Comparison
from prism_rec.compare.recipe import Recipe, read_recipe
from prism_rec.compare.run import compare

__all__ = ["Comparison", "Recipe", "compare", "read_recipe"]
