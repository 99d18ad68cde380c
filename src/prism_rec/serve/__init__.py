"""Recommendations over HTTP: a bundle without interactions, workers that share its tables, and their limits."""
