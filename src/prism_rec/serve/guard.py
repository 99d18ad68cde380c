"""Checks around every request (token, size, time), counts, and a log without personal data."""

import asyncio
import hmac
import json
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prism_rec.events import Events
from prism_rec.serve.metrics import Metrics
from prism_rec.serve.settings import Limits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OPEN = ("/health",)
"""Paths that need no token."""


class Refused(Exception):  # noqa: N818 (no error: an answer)
    """A request that is refused before it is read.

    Args:
        status: of the answer.
        why: one line.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """Reads whole requests within the limits, and answers those that are refused.

    A line of the log has the route, the status, the time and, for a defect, the place in the code. It has no address of
    a client, no path, no id and no body.

    Args:
        app: answers the others.
        limits: what is refused.
        token: that requests must give; None: none.
        metrics: counts.
        events: hears the lines of the log.
        log_requests: write a line for every request, not only for those that fail.
    """

    def __init__(
        self,
        app: App,
        limits: Limits,
        token: str | None,
        metrics: Metrics,
        events: Events,
        log_requests: bool = False,
    ) -> None:
        self.app = app
        self.limits = limits
        self.token = token
        self.metrics = metrics
        self.events = events
        self.log_requests = log_requests

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; pass on other messages."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, defect = time.perf_counter(), 0, ""

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            self._check_token(scope)
            body = await self._read(scope, receive)
            async with asyncio.timeout(self.limits.max_seconds):
                await self.app(scope, _replay(body, receive), sending)
        except Refused as refused:
            await _answer(sending, refused.status, str(refused))
        except TimeoutError:
            if not status:
                await _answer(sending, 503, "the answer took too long; ask for less, or again later")
        except Exception as error:
            defect = _place(error)
            if not status:
                await _answer(sending, 500, "a defect of the server; its log has the place")
        seconds = time.perf_counter() - begun
        route = getattr(scope.get("route"), "path", "other")
        self.metrics.requests.labels(route, status).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        if self.log_requests or defect or status >= 500:
            line = {"route": route, "status": status, "ms": round(seconds * 1000, 1)}
            self.events.note(json.dumps(line | ({"defect": defect} if defect else {})))

    def _check_token(self, scope: Message) -> None:
        if self.token is None or scope["path"] in OPEN:
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, b"Bearer " + self.token.encode()):
            raise Refused(401, "give the token of the server as `Authorization: Bearer TOKEN`")

    async def _read(self, scope: Message, receive: Receive) -> bytes:
        most = self.limits.max_body
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > most:
            raise Refused(413, f"the body has more than {most} bytes; send several requests")
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.max_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "the request is not complete")
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise Refused(413, f"the body has more than {most} bytes; send several requests")
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Refused(
                408, f"the request took more than {self.limits.max_seconds:g} s to arrive"
            ) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body which was read already."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(send: Send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _place(error: Exception) -> str:
    """Return the kind of an error and its place in the code; its message may have data of the request."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {last.filename.rpartition('/')[2]}"
