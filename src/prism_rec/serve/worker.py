"""A process that answers requests. `make` is called by uvicorn in each of them."""

import asyncio
import json
import os
import re
import sys
from http import HTTPStatus

import torch
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from prism_rec.events import Events
from prism_rec.masking import mask
from prism_rec.serve.app import make_app
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.settings import PATIENCE, SETTINGS, TOKEN, Worker

_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")
"""Control characters, which are commands to a terminal, and what is not ASCII."""


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class Log(Events):
    """Writes notes to the error stream as they are: a request is one JSON object."""

    def note(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(f"{_NOT_PLAIN.sub(_escaped, mask(line))}\n")
        sys.stderr.flush()


def make() -> FastAPI:
    """Return the application of this process, as the environment says."""
    settings = Worker.model_validate_json(os.environ[SETTINGS])
    torch.set_num_threads(settings.worker_threads)
    token = os.environ.get(TOKEN) or None
    events = Log()
    bundles = Bundles(settings.bundles, settings.index, events)
    return make_app(bundles, settings, token, events, settings.log_requests)


MOST_HEAD = 1 << 16
"""Most bytes before the body of a request, or after it, that may arrive while nothing of the body does."""


class Impatient(HttpToolsProtocol):
    """A connection that is closed if no request comes, or if the head of one comes too slowly or is too large."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._head = 0
        self._seen: object = None
        self._patience = float(os.environ.get(PATIENCE, "10"))
        self._watch = self.loop.call_later(self._patience, self._close_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no longer."""
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, and refuse a head without an end: the parser keeps all of it."""
        self._head += len(data)
        super().data_received(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self._refuse(431, f"the head of the request has more than {MOST_HEAD} bytes")

    def on_body(self, body: bytes) -> None:
        """Note that the head is read."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the next head follows."""
        self._head = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP."""
        self._refuse(400, "this is not a request of HTTP/1.1")

    def _refuse(self, status: int, why: str) -> None:
        """Answer and close the connection."""
        body = json.dumps({"error": why}).encode()
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _close_if_silent(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._seen:  # the last request is the one of the last look
            self.transport.close()
            return
        # A connection whose answer ended between two looks has not been idle for long.
        self._seen = self.cycle if idle else self
        self._watch = self.loop.call_later(self._patience, self._close_if_silent)
