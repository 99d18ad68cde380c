"""Contract tests, shipped with the library: a subclass that sets `config` has all tests of a plug-in.

    class TestMyFusion(FusionContract):
        config = MyFusionConfig()

The package also has data whose right answers are known.
"""

from prism_rec.testing.backbones import BackboneContract
from prism_rec.testing.encoders import EncoderContract
from prism_rec.testing.engines import EngineContract
from prism_rec.testing.export_formats import ExportFormatContract
from prism_rec.testing.fusions import FusionContract
from prism_rec.testing.indexes import IndexContract
from prism_rec.testing.job_engines import JobEngineContract
from prism_rec.testing.model_formats import ModelFormatContract
from prism_rec.testing.objectives import ObjectiveContract
from prism_rec.testing.planted import Planted, plant_features, plant_first_tells_last
from prism_rec.testing.sources import SourceContract
from prism_rec.testing.splits import SplitContract

__all__ = [
    "BackboneContract",
    "ExportFormatContract",
    "EncoderContract",
    "EngineContract",
    "FusionContract",
    "IndexContract",
    "JobEngineContract",
    "ModelFormatContract",
    "ObjectiveContract",
    "Planted",
    "SourceContract",
    "SplitContract",
    "plant_features",
    "plant_first_tells_last",
]
