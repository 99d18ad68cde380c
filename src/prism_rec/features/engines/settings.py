"""The engines that can be chosen, by `kind`. Packages add kinds in the group `prism_rec.engines`."""

from typing import Annotated

from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.ray import RayEngine
from prism_rec.plugins import Kinds

EngineConfig = Annotated[LocalEngine | RayEngine, Kinds("prism_rec.engines")]
"""An engine by its kind."""
