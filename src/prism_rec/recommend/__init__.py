"""External ids in, external ids out."""

from prism_rec.recommend.recommender import Recommender, load

__all__ = ["Recommender", "load"]
