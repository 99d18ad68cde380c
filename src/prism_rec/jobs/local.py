"""Jobs on this machine, each in a process of its own: a killed job loses only its own work."""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from prism_rec.devices import choose_device
from prism_rec.jobs.engine import JobEngine, Started
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.jobs.work import End, Event, do


@dataclass(eq=False)
class _Running(Started):
    process: BaseProcess = field(kw_only=True)
    connection: Connection = field(kw_only=True)

    def receive(self) -> Event | End:
        message: Event | End = self.connection.recv()
        return message

    def lost(self) -> End:
        self.process.join()
        status = self.process.exitcode or 0
        return End("lost" if status < 0 else "failed", f"its process ended with status {status}")

    def stop(self) -> None:
        self.process.terminate()


class LocalJobs(JobEngine):
    """Runs jobs on this machine."""

    kind: Literal["local"] = "local"
    """Name of the engine."""

    def check(self, workers: Workers) -> Workers:
        """Return how many jobs run at the same time: as many as there are cores for, and one on a GPU."""
        if workers.jobs is not None:
            return workers
        on_cpu = choose_device(workers.device).type == "cpu"
        return replace(workers, jobs=max(1, (os.cpu_count() or 1) // workers.threads) if on_cpu else 1)

    def start(self, job: Job, make: Make, workers: Workers, wait_for_lock: bool) -> Started:
        """Start a process with the job."""
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context: Any = multiprocessing.get_context(method)
        if method == "forkserver":  # one process imports torch, and each job starts as a copy of it
            context.set_forkserver_preload([make.__module__])
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(job, make, workers, wait_for_lock, theirs), daemon=True)
        process.start()
        theirs.close()
        return _Running(job, process=process, connection=ours)

    def ready(self, running: Sequence[_Running]) -> list[_Running]:
        """Wait for the pipes."""
        found = wait([one.connection for one in running])
        return [one for one in running if one.connection in found]


def _work(job: Job, make: Make, workers: Workers, wait_for_lock: bool, connection: Connection) -> None:
    """Do one job in a process of its own; it ends too if the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its jobs
    with suppress(ConnectionError):  # the parent has ended
        connection.send(do(job, make, workers, wait_for_lock, connection.send))
