from tiny_models import (
    tiny_bert,
    tiny_clip,
    tiny_dinov2,
    tiny_roberta,
    tiny_siglip,
    tiny_siglip2,
)

__all__ = ["tiny_bert", "tiny_clip", "tiny_dinov2", "tiny_roberta", "tiny_siglip", "tiny_siglip2"]
