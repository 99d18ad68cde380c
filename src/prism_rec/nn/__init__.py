"""Layers that know nothing of recommendation. Each exists once."""
