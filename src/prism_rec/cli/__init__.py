"""The command line: one command a stage, one file a command."""

from prism_rec.cli.app import main

__all__ = ["main"]
