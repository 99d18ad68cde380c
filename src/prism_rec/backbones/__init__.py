"""Plug-ins: item vectors -> user states."""

from prism_rec.backbones.base import AttentionSettings, Backbone, BackboneSettings
from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.hstu import HSTUConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig

__all__ = [
    "AttentionSettings",
    "BSARecConfig",
    "Backbone",
    "BackboneSettings",
    "ESASRecConfig",
    "GRU4RecConfig",
    "HSTUConfig",
    "SASRecConfig",
    "StosaConfig",
]
