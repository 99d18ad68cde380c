"""What people see of a search: a bar for the trials and one for the epochs; a line stays for each trial."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from prism_rec.train import EpochRecord
from prism_rec.tune.trial import Outcome, SearchListener


class SearchBar(SearchListener):
    """Shows a search; used in a `with` block.

    Args:
        epochs: how many a trial may have.
        metric: the one that is searched by.
    """

    def __init__(self, epochs: int, metric: str) -> None:
        self.metric = metric
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[news]}"),
            console=Console(stderr=True),
        )
        self.trials = self.progress.add_task("trials", total=None, news="")
        self.epochs = self.progress.add_task("epochs", total=epochs, news="")

    def __enter__(self) -> "SearchBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def on_trials(self, outcomes: Sequence[Outcome], total: int) -> None:
        """Move the bar of the trials; the first call shows it, so that a mistake in the settings is told without."""
        if self.progress.live.is_started and outcomes:
            self.progress.console.print(escape(self._line(outcomes[-1])), highlight=False)
        self.progress.start()
        self.progress.update(self.trials, completed=len(outcomes), total=total)
        self.progress.reset(self.epochs, news="")

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Move the bar of the epochs."""
        news = f"loss {records[-1].loss:.3f}"
        if best_epoch is not None:
            news += f", best {self.metric} {records[best_epoch - 1].validation[self.metric]:.4f}"
        self.progress.update(self.epochs, completed=len(records), news=escape(news))

    def _line(self, outcome: Outcome) -> str:
        chosen = ", ".join(f"{key} {_short(value)}" for key, value in outcome.chosen.items())
        if outcome.state in ("refused", "failed"):
            return f"trial {outcome.number} {outcome.state} ({chosen}): {outcome.why}"
        cut = f", cut short at epoch {outcome.epochs}" if outcome.state == "pruned" else ""
        return f"trial {outcome.number}: {self.metric} {outcome.value:.4f}{cut} ({chosen})"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
