"""Plug-ins: item vectors -> user states."""

from prism_rec.backbones.base import Backbone
from prism_rec.backbones.sasrec import SASRecConfig

__all__ = ["Backbone", "SASRecConfig"]
