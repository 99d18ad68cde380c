"""The work of a job's process, and the messages that it sends."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from prism_rec.errors import BusyError, InputError
from prism_rec.events import Events, Fact
from prism_rec.files import locked
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.machine import one_line

SECONDS = 0.1
"""Least time between two messages about steps of a job."""


class Event(NamedTuple):
    """A call of a method of `Events` in a job's process."""

    method: Literal["begin", "advance", "end", "note"]
    values: tuple[object, ...]


class End(NamedTuple):
    """How a job ended: the last message of its process, or `lost` if the process has sent none."""

    state: Literal["busy", "done", "failed", "lost"]
    text: str = ""
    """What was done, or why it failed."""


Send = Callable[[Event], None]


def do(job: Job, make: Make, workers: Workers, wait_for_lock: bool, send: Send) -> End:
    """Do a job in this process and return how it ended."""
    try:
        with one_line(), locked(job.folder, wait_for_lock):
            done = make(job, workers.device, workers.threads, _Forwarded(job.name, send))
    except BusyError:
        return End("busy")
    except InputError as error:
        return End("failed", str(error))
    return End("done", done)


class _Forwarded(Events):
    """Sends events to another process; steps without facts are gathered for a moment."""

    def __init__(self, job: str, send: Send) -> None:
        self.job = job
        self.send = send
        self.steps: dict[str, int] = defaultdict(int)
        self.next = 0.0

    def begin(self, task: str, total: int | None = None) -> None:
        self.steps[task] = 0
        self.send(Event("begin", (self._name(task), total)))

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        self.steps[task] += steps
        now = time.monotonic()
        if facts is not None or now >= self.next:
            self.next = now + SECONDS
            given = None if facts is None else dict(facts)
            self.send(Event("advance", (self._name(task), self.steps.pop(task), given)))

    def end(self, task: str) -> None:
        self.steps.pop(task, None)
        self.send(Event("end", (self._name(task),)))

    def note(self, line: str) -> None:
        self.send(Event("note", (f"{self.job}: {line}",)))

    def _name(self, task: str) -> str:
        return f"{self.job}: {task}"
