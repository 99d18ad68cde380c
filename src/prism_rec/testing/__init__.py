"""Contract tests, shipped with the library: a plug-in of yours subclasses one, sets `config`, and has its tests.

    class TestMyFusion(FusionContract):
        config = MyFusionConfig()

Data whose right answers are known come with them.
"""

from prism_rec.testing.backbones import BackboneContract
from prism_rec.testing.encoders import EncoderContract
from prism_rec.testing.engines import EngineContract
from prism_rec.testing.fusions import FusionContract
from prism_rec.testing.objectives import ObjectiveContract
from prism_rec.testing.planted import Planted, plant_features, plant_first_tells_last

__all__ = [
    "BackboneContract",
    "EncoderContract",
    "EngineContract",
    "FusionContract",
    "ObjectiveContract",
    "Planted",
    "plant_features",
    "plant_first_tells_last",
]
