from tiny_models import (  # noqa: F401 - fixtures
    tiny_bert,
    tiny_clip,
    tiny_dinov2,
    tiny_roberta,
    tiny_siglip,
    tiny_siglip2,
)
