"""Multimodal sequential recommendation: PRISM on any sequence model."""

__version__ = "0.1.0"
