"""Jobs in processes of their own, several at once: one that is killed costs itself alone."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Literal, NamedTuple

from prism_rec.compare.plan import Cell, ModelSearch
from prism_rec.errors import InputError
from prism_rec.folders import locked

Job = Cell | ModelSearch


class News(NamedTuple):
    """What a job's process says of it; a step is an epoch of a cell, or a trial of a search.

    When it ends, the text is what was done, or why it failed.
    """

    state: Literal["busy", "training", "done", "failed"]
    text: str = ""
    step: int = 0


Hear = Callable[[Job, News], None]
Tell = Callable[[str, int], None]
"""Told a text and the step that is done."""
Make = Callable[..., str]
"""Called with a job, the device, the threads and a `Tell`, it returns what was done; a function of a module, since it
is called elsewhere."""


@dataclass(frozen=True)
class Workers:
    """How jobs are run: so many at once, each with so many threads, all on one kind of device."""

    jobs: int
    threads: int
    device: str = "auto"


def run_jobs(jobs: Sequence[Job], make: Make, workers: Workers, hear: Hear) -> None:
    """Make every job; those that another process is at are waited for at the end.

    Args:
        jobs: in the order of the table; begun from its end, where recipes put what takes longest.
        make: what is done for each, its folder locked; where it is done already, that takes a moment.
        workers: how.
        hear: told of every beginning, step and end, in this process.
    """
    busy = _run(jobs[::-1], make, workers, False, hear)
    _run(busy, make, workers, True, hear)


@dataclass
class _Running:
    job: Job
    process: BaseProcess
    connection: Connection
    last: News = News("training")  # noqa: RUF009 (immutable)


def _run(jobs: Sequence[Job], make: Make, workers: Workers, wait_for_lock: bool, hear: Hear) -> list[Job]:
    """Run the jobs and return those that another process holds."""
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
                    one.last = one.connection.recv()
                except EOFError:  # the process has ended
                    del running[ready]
                    one.process.join()
                    if one.last.state == "training":
                        status = one.process.exitcode
                        one.last = News("failed", f"its process ended with status {status}")
                        hear(one.job, one.last)
                    elif one.last.state == "busy":
                        busy.append(one.job)
                else:
                    if one.last.state != "busy":
                        hear(one.job, one.last)
    finally:
        for one in running.values():
            one.process.terminate()
    return busy


def _start(job: Job, make: Make, workers: Workers, wait_for_lock: bool) -> _Running:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [make.__module__]
    )  # one process imports torch; each job starts as a copy of it
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, make, workers, wait_for_lock, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Running(job, process, ours)


def _work(job: Job, make: Make, workers: Workers, wait_for_lock: bool, connection: Connection) -> None:
    """Make one job in a process of its own; where nobody hears its news any more, it ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its jobs

    def tell(text: str, step: int) -> None:
        connection.send(News("training", text, step))

    try:
        with locked(job.folder, wait_for_lock):
            tell("", 0)
            done = make(job, workers.device, workers.threads, tell)
        connection.send(News("done", done))
    except BlockingIOError:
        connection.send(News("busy"))
    except InputError as error:
        connection.send(News("failed", str(error)))
