from stages.raw_shop import address
from tiny_models import tiny_clip

__all__ = ["address", "tiny_clip"]
