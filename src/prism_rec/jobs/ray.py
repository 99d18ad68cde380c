"""Jobs as tasks of a Ray cluster, or of Ray on this machine.

Every node must reach all folders under the same paths, on a file system with locks. Ray sends jobs to its workers by
pickle, within the cluster only; nothing pickled is stored.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal

from pydantic import Field

from prism_rec.errors import InputError, SettingsError
from prism_rec.jobs.engine import JobEngine, Started
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.jobs.work import End, Event, do


@dataclass(eq=False)
class _Running(Started):
    messages: Any = field(kw_only=True)
    """Ray's generator of references to messages."""
    why: str = ""

    def receive(self) -> Event | End:
        import ray

        try:
            message: Event | End = ray.get(next(self.messages))
        except StopIteration:
            raise EOFError from None
        except ray.exceptions.RayTaskError as error:
            return End("failed", f"an error of the program: {' '.join(repr(error.cause)[:400].split())}")
        except ray.exceptions.RayError as error:
            self.why = type(error).__name__
            raise EOFError from None
        return message

    def lost(self) -> End:
        return End("lost", f"its Ray worker has ended ({self.why})")

    def stop(self) -> None:
        import ray

        ray.cancel(self.messages, force=True)


class RayJobs(JobEngine):
    """Runs each job as a task of the Ray cluster at RAY_ADDRESS, or of Ray on this machine.

    A task takes as many CPUs as a job has threads, and one GPU if the cluster has any and `device` is not `cpu`.
    """

    kind: Literal["ray"] = "ray"
    """Name of the engine."""
    restarts: int = Field(3, ge=0)
    """How often a job begins again after its process was killed; it goes on from its last finished epoch."""

    def check(self, workers: Workers) -> Workers:
        """Start Ray, and refuse settings that no node of the cluster can meet."""
        require_ray()
        nodes = _nodes(start_ray())
        most = int(max((node.get("CPU", 0) for node in nodes), default=0))
        if workers.threads > most:
            raise InputError(
                f"no node of the Ray cluster has {workers.threads} CPUs, the `threads` of a job; set {most} at most"
            )
        if workers.device.startswith("cuda:"):
            raise SettingsError("Ray gives each job a GPU of its own; set cuda", key="device")
        if workers.device == "cuda" and not any(node.get("GPU") for node in nodes):
            raise SettingsError("no node of the Ray cluster has a GPU; set cpu or auto", key="device")
        return workers

    def start(self, job: Job, make: Make, workers: Workers, wait_for_lock: bool) -> Started:
        """Submit the job; it starts if a node has room for it."""
        import ray

        gpu = workers.device != "cpu" and any(node.get("GPU") for node in _nodes(ray))
        task = ray.remote(_work).options(
            num_cpus=workers.threads, num_gpus=int(gpu), max_retries=0, num_returns="streaming", name=job.name
        )
        return _Running(job, messages=task.remote(job, make, workers, wait_for_lock, os.getcwd()))

    def ready(self, running: Sequence[_Running]) -> list[_Running]:
        """Wait for the generators."""
        import ray

        found, _ = ray.wait([one.messages for one in running], num_returns=1)
        return [one for one in running if any(one.messages is each for each in found)]


def require_ray() -> None:
    """Refuse to begin without Ray.

    Raises:
        SettingsError: it is not installed.
    """
    if find_spec("ray") is None:
        raise SettingsError("ray needs Ray: pip install 'prism-rec[ray]'", key="engine")


def start_ray() -> Any:
    """Return the module `ray`, connected to the cluster at RAY_ADDRESS or to Ray on this machine, which is started."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return ray


def _nodes(ray: Any) -> list[dict[str, float]]:
    """Return the resources of each node of the cluster."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _work(job: Job, make: Make, workers: Workers, wait_for_lock: bool, folder: str) -> Iterator[Event | End]:
    """Do one job in a thread, with paths as they are from a folder, and yield its messages."""
    messages: SimpleQueue[Event | End | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            os.chdir(folder)
            messages.put(do(job, make, workers, wait_for_lock, messages.put))
        except BaseException as error:  # an error of the program ends the task
            messages.put(error)

    Thread(target=work, daemon=True).start()
    while True:
        message = messages.get()
        if isinstance(message, BaseException):
            raise message
        yield message
        if isinstance(message, End):
            return
