"""Listeners: a log that machines read and a bar that people watch."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from prism_rec.folders import write_text_atomically
from prism_rec.train.loop import EpochRecord, Listener


class JsonLog(Listener):
    """Keeps one JSON object an epoch in a file, whole after every epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Write all lines."""
        lines = (json.dumps({**asdict(record), "best_epoch": best_epoch}) for record in records)
        write_text_atomically(self.path, "".join(f"{line}\n" for line in lines))


def read_log(path: Path) -> tuple[EpochRecord, ...]:
    """Read what `JsonLog` wrote."""
    records = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(
        EpochRecord(**{key: value for key, value in record.items() if key != "best_epoch"})
        for record in records
    )


class ProgressBar(Listener):
    """Shows the epoch's progress, the loss and the validation metric; used in a `with` block.

    Args:
        epochs: how many there may be.
        metric: the one that stops training.
        label: what is trained.
    """

    def __init__(self, epochs: int, metric: str, label: str = "training") -> None:
        self.metric = metric
        self.epochs = epochs
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn()
        )
        self.task = self.progress.add_task(label, total=None)
        self.label = label
        self.news = ""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def on_batch(self, epoch: int, done: int, total: int) -> None:
        """Move the bar; the first batch shows it, so that a mistake in the settings is told without one."""
        self.progress.start()
        self.progress.update(
            self.task,
            description=self._describe(epoch),
            completed=(epoch - 1) * total + done,
            total=self.epochs * total,
        )

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Take up the latest numbers."""
        self.news = f" loss {records[-1].loss:.3f}"
        if best_epoch is not None:
            best = records[best_epoch - 1].validation[self.metric]
            self.news += f" best {self.metric} {best:.4f} (epoch {best_epoch})"
        self.progress.update(self.task, description=self._describe(len(records)))

    def _describe(self, epoch: int) -> str:
        return f"{self.label} epoch {epoch}/{self.epochs}{self.news}"
