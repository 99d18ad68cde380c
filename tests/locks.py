"""A folder that somebody else holds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prism_rec.files import locked


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[None]:
    """Hold a folder in another thread, as another process would; the same thread may hold it twice."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(folder):
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()
