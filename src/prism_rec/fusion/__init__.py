"""Plug-ins: modality vectors -> components of an item and their weights for a user."""

from prism_rec.fusion.base import Fused, Fusion, FusionSettings
from prism_rec.fusion.reading import Evidence, Features, ItemSet, ModalityShape, Parts, Reading

__all__ = [
    "Evidence",
    "Features",
    "Fused",
    "Fusion",
    "FusionSettings",
    "ItemSet",
    "ModalityShape",
    "Parts",
    "Reading",
]
