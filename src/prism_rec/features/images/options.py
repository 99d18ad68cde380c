"""The settings of gathering pictures."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from prism_rec.config import Config


class GatherOptions(Config):
    """How pictures are fetched, checked and stored.

    Attributes:
        visit: which sources are visited. A picture at hand is settled, and so is a failure that cannot pass
            (404, not a picture, too large, or a refused address, until `allow_private` is given).
            `unsettled`: all others, which are those not tried yet and those that failed for a reason that may
            pass (network, timeout, 408, 425, 429, 5xx, a truncated body, a photo missing from `local`).
            `retry`: of these, those that failed; what was never tried waits. `everything`: the settled too; a
            picture at hand is asked for with its ETag, and kept if the server has none newer or gives no
            picture this time.
        local: folder, zip or tar that holds the sources that are not URLs.
        item_column: column of the table with item ids.
        source_column: column with URLs or names of local photos, text or lists of text; prepare writes `images`.
        size: shorter side of a stored picture in pixels; none is enlarged.
        connections: requests under way at a time.
        per_host: likewise to one host.
        attempts: requests for one source in one run.
        backoff: seconds before the second attempt, doubled for each further one, with some jitter.
        longest_wait: seconds; a Retry-After that asks for more ends the attempts of this run.
        timeout: seconds to connect, and between two arrivals of bytes.
        deadline: seconds for one whole answer.
        redirects: most redirects of one source.
        max_bytes: most bytes of one source.
        max_pixels: most pixels of one source.
        decoders: threads that decode; 0 means one a processor, eight at most.
        allow_private: contact private, loopback and link-local addresses, and any port, too.
    """

    visit: Literal["unsettled", "retry", "everything"] = "unsettled"
    local: Path | None = None
    item_column: str = "item_id"
    source_column: str = "images"
    size: int = Field(default=224, ge=16, le=4096)
    connections: int = Field(default=32, ge=1, le=1024)
    per_host: int = Field(default=16, ge=1, le=1024)
    attempts: int = Field(default=4, ge=1, le=20)
    backoff: float = Field(default=0.5, gt=0)
    longest_wait: float = Field(default=60.0, gt=0)
    timeout: float = Field(default=20.0, gt=0)
    deadline: float = Field(default=120.0, gt=0)
    redirects: int = Field(default=5, ge=0, le=20)
    max_bytes: int = Field(default=16 * 2**20, ge=1)
    max_pixels: int = Field(default=50_000_000, ge=1, le=170_000_000)
    decoders: int = Field(default=0, ge=0, le=64)
    allow_private: bool = False
