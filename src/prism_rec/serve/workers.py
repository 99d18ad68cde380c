"""The processes that answer, as uvicorn starts and watches them."""

from socket import socket

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from prism_rec.events import Events

HANGS = 60
"""Seconds without a sign of life after which a worker is killed. One that only starts, or waits for a core of a busy
machine, must not be."""


class Workers(Multiprocess):
    """Workers on one listener; one that ended or hangs is started again, and a note says so.

    Args:
        config: of uvicorn, with the number of workers.
        listener: that they share.
        events: hears of each worker that was started again.
    """

    def __init__(self, config: Config, listener: socket, events: Events) -> None:
        super().__init__(config, [listener])
        self.events = events

    def keep_subprocess_alive(self) -> None:
        """Start workers again that ended or hang."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if new is not old:
                self.events.note(
                    f"worker {old.pid} ended or did not answer for {HANGS} s; another one starts"
                )
