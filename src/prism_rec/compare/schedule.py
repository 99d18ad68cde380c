"""Cells in processes of their own, several at once: one that is killed costs itself alone."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Literal, NamedTuple

from prism_rec.compare.cell import run_cell
from prism_rec.compare.recipe import Cell
from prism_rec.errors import InputError
from prism_rec.folders import locked
from prism_rec.train import EpochRecord, Listener


class News(NamedTuple):
    """What a cell's process says of it."""

    state: Literal["busy", "training", "done", "failed"]
    text: str = ""
    epoch: int = 0


Hear = Callable[[Cell, News], None]


@dataclass(frozen=True)
class Workers:
    """How cells are run: so many at once, each with so many threads, all on one kind of device."""

    jobs: int
    threads: int
    device: str = "auto"


def run_cells(cells: Sequence[Cell], workers: Workers, hear: Hear) -> None:
    """Make every cell that has no result yet; those that another process is at are waited for at the end.

    Args:
        cells: in the order of the table; begun from its end, where recipes put what takes longest.
        workers: how.
        hear: told of every beginning, epoch and end, in this process.
    """
    busy = _run(cells[::-1], workers, False, hear)
    _run(busy, workers, True, hear)


@dataclass
class _Running:
    cell: Cell
    process: BaseProcess
    connection: Connection
    last: News = News("training")  # noqa: RUF009 (immutable)


def _run(cells: Sequence[Cell], workers: Workers, wait_for_lock: bool, hear: Hear) -> list[Cell]:
    """Run the cells and return those that another process holds."""
    queue, busy = deque(cells), []
    running: dict[object, _Running] = {}  # by connection
    try:
        while queue or running:
            while queue and len(running) < workers.jobs:
                started = _start(queue.popleft(), workers, wait_for_lock)
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
                        hear(one.cell, one.last)
                    elif one.last.state == "busy":
                        busy.append(one.cell)
                else:
                    if one.last.state != "busy":
                        hear(one.cell, one.last)
    finally:
        for one in running.values():
            one.process.terminate()
    return busy


def _start(cell: Cell, workers: Workers, wait_for_lock: bool) -> _Running:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # one process imports torch; each cell starts as a copy of it
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(cell, workers, wait_for_lock, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Running(cell, process, ours)


def _work(cell: Cell, workers: Workers, wait_for_lock: bool, connection: Connection) -> None:
    """Make one cell in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its cells
    try:
        with locked(cell.folder, wait_for_lock):
            connection.send(News("training"))
            run_cell(cell, workers.device, workers.threads, [_Herald(connection, cell)])
        connection.send(News("done"))
    except BlockingIOError:
        connection.send(News("busy"))
    except InputError as error:
        connection.send(News("failed", str(error)))


class _Herald(Listener):
    """Sends each epoch's news to the parent; where that is gone, the cell ends with it."""

    def __init__(self, connection: Connection, cell: Cell) -> None:
        self.connection = connection
        self.metric = cell.config.train.metric

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Tell the newest record."""
        text = f"loss {records[-1].loss:.3f}"
        if best_epoch is not None:
            text += f", best {self.metric} {records[best_epoch - 1].validation[self.metric]:.4f}"
        self.connection.send(News("training", text, records[-1].epoch))
