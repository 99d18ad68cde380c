"""Plug-ins: user states -> loss."""

from prism_rec.objectives.base import Objective

__all__ = ["Objective"]
