"""Jobs on this machine, each in a process of its own: a killed job loses only its own work."""

import multiprocessing
import signal
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal, NamedTuple

from prism_rec.errors import BusyError, InputError
from prism_rec.events import Events, Fact
from prism_rec.files import locked
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.machine import one_line

SECONDS = 0.1
"""Least time between two messages about steps of a job."""


class _Event(NamedTuple):
    """A call of a method of `Events` in a job's process."""

    method: Literal["begin", "advance", "end", "note"]
    values: tuple[object, ...]


class _End(NamedTuple):
    """The last message of a job's process: what was done, or why it failed."""

    state: Literal["busy", "done", "failed"]
    text: str = ""


def run_jobs(
    jobs: Sequence[Job], make: Make, workers: Workers, task: str, events: Events = Events()
) -> dict[str, str]:
    """Do every job; a job that another process works on is waited for at the end.

    Args:
        jobs: in the order of importance to a reader; begun from the end, because the last ones often take longest.
        make: does a job; its folder is locked. If the job was done before, it returns at once.
        workers: how many jobs run at the same time, with how many threads, on which device.
        task: name of the task that counts the jobs.
        events: hear the events of all jobs, with the job's name before the names of tasks and notes.

    Returns:
        Why jobs failed, by name; empty if all succeeded.
    """
    events.begin(task, len(jobs))
    failures: dict[str, str] = {}
    busy = _run(jobs[::-1], make, workers, False, task, events, failures)
    for job in busy:
        events.note(f"{job.name}: another process works on it; waiting for it")
    _run(busy, make, workers, True, task, events, failures)
    events.end(task)
    return failures


@dataclass
class _Running:
    job: Job
    process: BaseProcess
    connection: Connection
    tasks: set[str] = field(default_factory=set)
    """Tasks that have begun and not ended."""
    end: _End | None = None

    def hear(self, events: Events) -> None:
        """Receive one message and pass it on.

        Raises:
            EOFError: the process has ended.
        """
        message = self.connection.recv()
        if isinstance(message, _End):
            self.end = message
            return
        getattr(events, message.method)(*message.values)
        if message.method == "begin":
            self.tasks.add(str(message.values[0]))
        elif message.method == "end":
            self.tasks.discard(str(message.values[0]))

    def finish(self, events: Events) -> _End:
        """Return how the job ended, after its process has."""
        self.process.join()
        for task in self.tasks:
            events.end(task)
        return self.end or _End("failed", f"its process ended with status {self.process.exitcode}")


def _run(
    jobs: Sequence[Job],
    make: Make,
    workers: Workers,
    wait_for_lock: bool,
    task: str,
    events: Events,
    failures: dict[str, str],
) -> list[Job]:
    """Run the jobs, add failures, and return the jobs that other processes work on."""
    queue, busy = deque(jobs), []
    running: dict[object, _Running] = {}  # by connection
    try:
        while queue or running:
            while queue and len(running) < workers.jobs:
                started = _start(queue.popleft(), make, workers, wait_for_lock)
                running[started.connection] = started
            for ready in wait([one.connection for one in running.values()]):
                one = running[ready]
                try:
                    one.hear(events)
                except EOFError:
                    del running[ready]
                    end = one.finish(events)
                    if end.state == "busy":
                        busy.append(one.job)
                        continue
                    if end.state == "failed":
                        failures[one.job.name] = end.text
                    text = f"failed: {end.text}" if end.state == "failed" else end.text
                    events.note(f"{one.job.name}: {text}")
                    events.advance(task)
    finally:
        for one in running.values():
            one.process.terminate()
    return busy


def _start(job: Job, make: Make, workers: Workers, wait_for_lock: bool) -> _Running:
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":  # one process imports torch, and each job starts as a copy of it
        context.set_forkserver_preload([make.__module__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, make, workers, wait_for_lock, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Running(job, process, ours)


def _work(job: Job, make: Make, workers: Workers, wait_for_lock: bool, connection: Connection) -> None:
    """Do one job in a process of its own; it ends too if the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its jobs
    with suppress(ConnectionError):  # the parent has ended
        connection.send(_do(job, make, workers, wait_for_lock, connection))


def _do(job: Job, make: Make, workers: Workers, wait_for_lock: bool, connection: Connection) -> _End:
    """Do the job and return how it ended."""
    try:
        with one_line(), locked(job.folder, wait_for_lock):
            done = make(job, workers.device, workers.threads, _Forwarded(job.name, connection))
    except BusyError:
        return _End("busy")
    except InputError as error:
        return _End("failed", str(error))
    return _End("done", done)


class _Forwarded(Events):
    """Sends events to the parent process; steps without facts are gathered for a moment."""

    def __init__(self, job: str, connection: Connection) -> None:
        self.job = job
        self.connection = connection
        self.steps: dict[str, int] = defaultdict(int)
        self.next = 0.0

    def begin(self, task: str, total: int | None = None) -> None:
        self.steps[task] = 0
        self.connection.send(_Event("begin", (self._name(task), total)))

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        self.steps[task] += steps
        now = time.monotonic()
        if facts is not None or now >= self.next:
            self.next = now + SECONDS
            given = None if facts is None else dict(facts)
            self.connection.send(_Event("advance", (self._name(task), self.steps.pop(task), given)))

    def end(self, task: str) -> None:
        self.steps.pop(task, None)
        self.connection.send(_Event("end", (self._name(task),)))

    def note(self, line: str) -> None:
        self.connection.send(_Event("note", (f"{self.job}: {line}",)))

    def _name(self, task: str) -> str:
        return f"{self.job}: {task}"
