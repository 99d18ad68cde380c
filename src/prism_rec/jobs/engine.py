"""The interface of engines of jobs: an engine runs several jobs at the same time, each in its own process."""

from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from prism_rec.config import Config
from prism_rec.events import Events
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.jobs.work import End, Event


@dataclass(eq=False)
class Started:
    """A job that runs."""

    job: Job
    tasks: set[str] = field(default_factory=set)
    """Tasks that have begun and not ended."""
    end: End | None = None

    def receive(self) -> Event | End:
        """Return the next message of the job.

        Raises:
            EOFError: the process has ended.
        """
        raise NotImplementedError

    def lost(self) -> End:
        """Return how a process ended that has sent no last message."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the process."""
        raise NotImplementedError

    def hear(self, events: Events) -> None:
        """Receive one message and pass it on.

        Raises:
            EOFError: the process has ended.
        """
        message = self.receive()
        if isinstance(message, End):
            self.end = message
            return
        getattr(events, message.method)(*message.values)
        if message.method == "begin":
            self.tasks.add(str(message.values[0]))
        elif message.method == "end":
            self.tasks.discard(str(message.values[0]))

    def finish(self, events: Events) -> End:
        """Return how the job ended, after its process has."""
        for task in self.tasks:
            events.end(task)
        return self.end or self.lost()


class JobEngine(Config):
    """The base of an engine's settings: where jobs run. No result depends on them.

    Subclasses add `kind`.
    """

    restarts: int = Field(0, ge=0)
    """How often a job begins again after its process was killed; it goes on from its last finished epoch."""

    def check(self, workers: Workers) -> Workers:
        """Return how jobs will run here; None in `workers.jobs` is replaced if the engine needs a number.

        Raises:
            InputError: they cannot run here.
        """
        return workers

    @abstractmethod
    def start(self, job: Job, make: Make, workers: Workers, wait_for_lock: bool) -> Started:
        """Start a job in another process."""

    @abstractmethod
    def ready(self, running: Sequence[Any]) -> Sequence[Any]:
        """Wait until some of the jobs have a message or have ended, and return these."""

    def run(
        self, jobs: Sequence[Job], make: Make, workers: Workers, task: str, events: Events = Events()
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

        Raises:
            InputError: jobs cannot run here.
        """
        workers = self.check(workers)
        events.begin(task, len(jobs))
        failures: dict[str, str] = {}
        busy = self._run(jobs[::-1], make, workers, False, task, events, failures)
        for job in busy:
            events.note(f"{job.name}: another process works on it; waiting for it")
        self._run(busy, make, workers, True, task, events, failures)
        events.end(task)
        return failures

    def _run(
        self,
        jobs: Sequence[Job],
        make: Make,
        workers: Workers,
        wait_for_lock: bool,
        task: str,
        events: Events,
        failures: dict[str, str],
    ) -> list[Job]:
        """Run the jobs, add failures, and return the jobs that other processes work on."""
        queue, busy, most = deque(jobs), [], workers.jobs or len(jobs)
        running: list[Started] = []
        lost = Counter[str]()
        try:
            while queue or running:
                while queue and len(running) < most:
                    running.append(self.start(queue.popleft(), make, workers, wait_for_lock))
                for one in self.ready(running):
                    try:
                        one.hear(events)
                        continue
                    except EOFError:
                        running.remove(one)
                    end, name = one.finish(events), one.job.name
                    if end.state == "busy":
                        busy.append(one.job)
                        continue
                    if end.state == "lost" and lost[name] < self.restarts:
                        lost[name] += 1
                        events.note(f"{name}: {end.text}; it begins again")
                        queue.appendleft(one.job)
                        continue
                    if end.state != "done":
                        failures[name] = end.text
                    events.note(
                        f"{name}: {end.text}" if end.state == "done" else f"{name}: failed: {end.text}"
                    )
                    events.advance(task)
        finally:
            for one in running:
                one.stop()
        return busy
