"""Layers that know nothing of recommendation; each exists once."""
