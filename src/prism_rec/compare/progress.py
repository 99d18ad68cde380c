"""What people see while searches and cells are made."""

from rich.console import Console
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

from prism_rec.compare.schedule import Job, News


class JobProgress:
    """A bar for each job that is being made and one for all; a line stays for each that ends.

    Args:
        what: the jobs are, such as cells.
        total: how many there are.
    """

    def __init__(self, what: str, total: int) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[news]}"),
            console=Console(stderr=True),
        )
        self.all = self.progress.add_task(what, total=total, news="")
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "JobProgress":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, job: Job, news: News) -> None:
        """Show what a job's process says."""
        if job.name not in self.tasks:
            self.tasks[job.name] = self.progress.add_task(escape(job.name), total=job.steps, news="")
        task = self.tasks[job.name]
        if news.state == "training":
            self.progress.update(task, completed=news.step, news=escape(news.text))
            return
        self.progress.remove_task(task)
        self.progress.advance(self.all)
        text = f"failed: {news.text}" if news.state == "failed" else news.text
        self.progress.console.print(f"{escape(job.name)}: {escape(text)}", highlight=False)
