"""The contract of an engine of jobs."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.jobs.engine import JobEngine
from prism_rec.jobs.job import Workers
from prism_rec.testing.checks import SettingsContract


@dataclass(frozen=True)
class Writing:
    """A job that writes one file, or fails."""

    name: str
    folder: Path
    fails: bool = False


def write(job: Writing, device: str, threads: int, events: Events) -> str:
    """Do the job."""
    events.begin("lines", 2)
    events.advance("lines", 2)
    if job.fails:
        raise InputError("it cannot be written")
    (job.folder / "text").write_text(f"{job.name} {device} {threads}")
    events.end("lines")
    return "written"


class Hearing(Events):
    """Keeps the notes, and the tasks that have begun and not ended."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.open: list[str] = []
        self.all: set[str] = set()

    def begin(self, task: str, total: int | None = None) -> None:
        """Keep the task."""
        self.open.append(task)
        self.all.add(task)

    def end(self, task: str) -> None:
        """Forget the task."""
        self.open.remove(task)

    def note(self, line: str) -> None:
        """Keep the note."""
        self.notes.append(line)


class JobEngineContract(SettingsContract):
    """Tests of one engine of jobs: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the engine.
    """

    def test_every_job_is_done_and_only_failures_are_returned(self) -> None:
        """A job that fails stops no other, and every job says how it ended."""
        hearing = Hearing()
        with TemporaryDirectory() as folder:
            jobs = [Writing(name, Path(folder) / name, name == "b") for name in "abc"]
            engine, workers = cast(JobEngine, self.config), Workers(device="cpu")
            failures = engine.run(jobs, write, workers, "texts", hearing)
            written = {path.parent.name: path.read_text() for path in Path(folder).glob("*/text")}
        assert failures == {"b": "it cannot be written"}
        assert written == {"a": "a cpu 1", "c": "c cpu 1"}
        assert sorted(hearing.notes) == ["a: written", "b: failed: it cannot be written", "c: written"]
        assert hearing.all == {"texts", "a: lines", "b: lines", "c: lines"}
        assert hearing.open == []
