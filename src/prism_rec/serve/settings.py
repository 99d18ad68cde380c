"""How a server answers, and what it refuses."""

from pathlib import Path

from pydantic import Field

from prism_rec.config import Config
from prism_rec.serve.indexes import AnyIndex, Exact

SETTINGS, TOKEN, PATIENCE = "PRISM_REC_WORKER", "PRISM_REC_TOKEN", "PRISM_REC_PATIENCE"
"""Environment variables of workers: their settings as JSON, the token, and the seconds for the head of a request."""
METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder in which workers add up; the library reads it when it is imported."""


class Limits(Config):
    """What a request may ask for. More is refused with a reason."""

    max_body: int = Field(1 << 20, ge=1)
    """Largest body of a request in bytes."""
    max_histories: int = Field(1000, ge=1)
    """Most histories or users of one request."""
    max_history: int = Field(1000, ge=1)
    """Most items of one history."""
    max_k: int = Field(1000, ge=1)
    """Most items that are recommended to one user."""
    max_waiting: int = Field(1000, ge=1)
    """Most requests of one worker that wait for the model; further ones are refused with status 503."""
    max_seconds: float = Field(10.0, gt=0)
    """Longest time in seconds for a request to arrive, and again for its answer to be made."""


class Service(Limits):
    """The bundle that a worker serves, and how."""

    users: bool = False
    """Answer for users of the run by their ids too: the bundle then has the histories of everybody. Without it, the
    bundle has no interactions and no user ids, and requests give histories."""
    add_items: bool = False
    """Let requests add items to the catalogue."""
    index: AnyIndex = Exact()
    """How the best items are found: exact scores every item, approximate those of some lists, for large catalogues."""
    check_seconds: float = Field(1.0, gt=0)
    """How often the server looks for a new version of the model, in seconds."""


class Worker(Service):
    """Settings that a worker process gets from the process that starts it."""

    bundles: Path
    """The folder of bundles; see `serve.bundles`."""
    worker_threads: int = Field(1, ge=1, le=4096)
    """Threads of the CPU."""
    log_requests: bool = False
    """Write a line for every request, not only for those that fail."""


class Serve(Service):
    """A server for a run."""

    host: str = "127.0.0.1"
    """Address to listen on; by default only this machine can ask. 0.0.0.0 is every address."""
    port: int = Field(8000, ge=0, le=65535)
    """Port; 0 is any free one."""
    workers: int = Field(1, ge=1, le=4096)
    """Number of processes that answer. They share the tables of the catalogue."""
    worker_threads: int = Field(1, ge=1, le=4096)
    """Threads of the CPU for each process."""
    bundle: Path | None = None
    """Folder for what is served; it stays, with items that were added. If not given, a temporary one."""
    token_file: Path | None = None
    """File with a token: requests must have the header Authorization: Bearer TOKEN. PRISM_REC_TOKEN in the environment
    does the same."""
    log_requests: bool = False
    """Write a line for every request, not only for those that fail."""
