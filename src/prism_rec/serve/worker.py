"""A process that answers requests. `make` is called by uvicorn in each of them."""

import os
import sys

import torch
from fastapi import FastAPI
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from prism_rec.events import JsonLines
from prism_rec.serve.app import make_app
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.settings import PATIENCE, SETTINGS, TOKEN, Worker


def make() -> FastAPI:
    """Return the application of this process, as the environment says."""
    settings = Worker.model_validate_json(os.environ[SETTINGS])
    torch.set_num_threads(settings.worker_threads)
    token = os.environ.get(TOKEN) or None
    return make_app(Bundles(settings.bundles), settings, token, JsonLines(sys.stderr), settings.log_requests)


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """A connection that is closed if no request comes, or if the head of one comes too slowly."""

    def connection_made(self, transport: object) -> None:
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._seen: object = None
        self._patience = float(os.environ.get(PATIENCE, "10"))
        self._watch = self.loop.call_later(self._patience, self._close_if_silent)

    def connection_lost(self, error: Exception | None) -> None:
        """Watch no longer."""
        self._watch.cancel()
        super().connection_lost(error)

    def _close_if_silent(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._seen:  # the last request is the one of the last look
            self.transport.close()
            return
        self._seen = self.cycle
        self._watch = self.loop.call_later(self._patience, self._close_if_silent)
