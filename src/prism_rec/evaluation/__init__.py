"""Ranks of the targets -> metrics, intervals, slices, tests between models."""
