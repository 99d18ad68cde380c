"""Plug-ins: modality vectors -> components of an item and their weights for a user."""

from prism_rec.fusion.base import Features, Fused, Fusion, History, Parts

__all__ = ["Features", "Fused", "Fusion", "History", "Parts"]
