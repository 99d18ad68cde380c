"""Runs: a run is one trained model, and one folder that has everything to use it."""
