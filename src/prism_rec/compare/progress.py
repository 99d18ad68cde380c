"""What people see while cells are made."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from prism_rec.compare.recipe import Cell
from prism_rec.compare.schedule import News


class CellProgress:
    """A bar for each cell that is being made and one for all; a line stays for each that ends.

    Args:
        total: how many cells there are.
    """

    def __init__(self, total: int) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[news]}"),
            console=Console(stderr=True),
        )
        self.all = self.progress.add_task("cells", total=total, news="")
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "CellProgress":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, cell: Cell, news: News) -> None:
        """Show what a cell's process says."""
        if cell.name not in self.tasks:
            self.tasks[cell.name] = self.progress.add_task(
                escape(cell.name), total=cell.config.train.epochs, news=""
            )
        task = self.tasks[cell.name]
        if news.state in ("training", "busy"):
            self.progress.update(task, completed=news.epoch, news=escape(news.text))
            return
        self.progress.remove_task(task)
        self.progress.advance(self.all)
        self.progress.console.print(f"{escape(cell.name)}: {news.state} {escape(news.text)}", highlight=False)
