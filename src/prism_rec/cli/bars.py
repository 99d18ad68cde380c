"""Progress on a terminal: a bar per task, with time left and the latest facts; notes are lines that stay."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from prism_rec.cli.terminal import SafeConsole
from prism_rec.events import Events, Fact


class Bars(Events):
    """Shows tasks as bars on the error stream; used in a `with` block."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
            console=SafeConsole(stderr=True),
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress.live.is_started:
            self.progress.stop()

    def begin(self, task: str, total: int | None = None) -> None:
        """Show a bar, or set an old one back to its beginning; the first bar starts the display."""
        self.progress.start()
        if task in self.tasks:
            self.progress.reset(self.tasks[task], total=total, facts="")
        else:
            self.tasks[task] = self.progress.add_task(escape(task), total=total, facts="")

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        """Move a bar and show its facts."""
        if facts is None:
            self.progress.update(self.tasks[task], advance=steps)
        else:
            self.progress.update(self.tasks[task], advance=steps, facts=escape(say_facts(facts)))

    def end(self, task: str) -> None:
        """Remove a bar."""
        self.progress.remove_task(self.tasks.pop(task))

    def note(self, line: str) -> None:
        """Print a line above the bars."""
        self.progress.console.print(line, highlight=False, soft_wrap=True)


def say_facts(facts: Mapping[str, Fact]) -> str:
    """Return facts in one line, such as `loss 3.214, ndcg@10 0.0597`."""
    return ", ".join(
        f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in facts.items()
    )


@contextmanager
def shown(quiet: bool) -> Iterator[Events]:
    """Yield the events of a command: bars and notes, or nothing if it should be quiet."""
    if quiet:
        yield Events()
        return
    with Bars() as bars:
        yield bars
