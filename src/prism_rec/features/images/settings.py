"""The settings of gathering pictures."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from prism_rec.config import Config
from prism_rec.features.pictures import MOST_PIXELS, SIZE, SMALLEST_SIDE


class Gathering(Config):
    """How pictures are fetched, checked and stored."""

    visit: Literal["unsettled", "retry", "everything"] = "unsettled"
    """`unsettled`: sources that were not tried yet, and temporary failures (network, timeout, 408, 425, 429, 5xx, a
    truncated body, a photo missing from `local`). `retry`: temporary failures only. `everything`: all sources, for
    instance after raising a limit; stored pictures are revalidated by ETag and kept if unchanged."""
    local: Path | None = None
    """Folder, zip or tar with the photos that the table names."""
    columns: dict[str, str] = Field(default_factory=dict)
    """item=NAME: the table's column of item ids, if it is not item_id."""
    source_column: str = "images"
    """The table's column of URLs or names of photos, text or lists of text; prepare writes `images`."""
    size: int = Field(default=SIZE, ge=SMALLEST_SIDE, le=4096)
    """Shorter side of a stored picture in pixels. Smaller pictures are not enlarged."""
    connections: int = Field(default=32, ge=1, le=1024)
    """Requests at a time."""
    per_host: int = Field(default=16, ge=1, le=1024)
    """Requests at a time to one host."""
    attempts: int = Field(default=4, ge=1, le=20)
    """Requests for one picture in one run."""
    backoff: float = Field(default=0.5, gt=0)
    """Seconds before the second attempt, doubled for each further attempt, with some jitter."""
    longest_wait: float = Field(default=60.0, gt=0)
    """Seconds; a Retry-After that asks for more ends the attempts of this run."""
    timeout: float = Field(default=20.0, gt=0)
    """Seconds to connect, and between two arrivals of bytes."""
    deadline: float = Field(default=120.0, gt=0)
    """Seconds for one whole answer."""
    redirects: int = Field(default=5, ge=0, le=20)
    """Most redirects of one source."""
    max_bytes: int = Field(default=16 * 2**20, ge=1)
    """Most bytes of one picture."""
    max_pixels: int = Field(default=MOST_PIXELS, ge=1, le=170_000_000)
    """Most pixels of one picture."""
    decoders: int = Field(default=0, ge=0, le=64)
    """Threads that decode; 0 means one per processor, but at most eight."""
    allow_private: bool = False
    """Contact private, loopback and link-local addresses, and any port, too."""
