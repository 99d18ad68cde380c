"""A job, and how jobs run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Job(Protocol):
    """One piece of work that writes one folder."""

    @property
    def name(self) -> str:
        """The name of the job in messages and tasks."""

    @property
    def folder(self) -> Path:
        """The folder that the job writes; it is locked while the job runs."""


Make = Callable[..., str]
"""Does one job: called with the job, device, number of threads and `Events`, it returns what was done, in words.

It is a function at the top level of a module, because another process imports it.
"""


@dataclass(frozen=True)
class Workers:
    """How jobs run."""

    jobs: int | None = None
    """How many run at the same time; None: as many as there is room for."""
    threads: int = 1
    """Threads of each job."""
    device: str = "auto"
    """Device of each job."""
