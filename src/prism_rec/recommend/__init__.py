"""Recommendations from a run: external ids in, external ids out."""
