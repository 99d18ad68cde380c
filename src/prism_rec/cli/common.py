"""Options that mean the same in every command."""

from pathlib import Path

from prism_rec.config import Config


class Output(Config):
    """A command that writes a folder."""

    out: Path
    """Folder to write."""


class Talk(Config):
    """What a command prints."""

    quiet: bool = False
    """Show no progress."""
    json_: bool = False
    """Print the result as JSON."""
