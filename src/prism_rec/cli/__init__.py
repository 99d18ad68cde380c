"""The command line: one command per stage, one file per command."""

from prism_rec.cli.app import main

__all__ = ["main"]
