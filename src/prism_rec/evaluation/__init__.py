"""Ranks of the targets -> metrics, intervals, slices, tests between models. numpy and scipy only."""
