"""The settings of the page."""

from pathlib import Path

from pydantic import Field

from prism_rec.config import Config


class Explore(Config):
    """The runs of the page, and its address."""

    other: Path | None = None
    """Folder of a second run with the same items, to look at both next to each other."""
    pictures: Path | None = None
    """Folder with the pictures of the items: the output of images, or files named ITEM_ID.jpg. Without it, items are
    tiles with their title and category."""
    k: int = Field(10, ge=1, le=100)
    """Number of recommended items."""
    host: str = "127.0.0.1"
    """Address to listen on; by default only this machine can look. The page shows the users of the run."""
    port: int = Field(8080, ge=0, le=65535)
    """Port; 0 is any free one."""
