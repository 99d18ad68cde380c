"""Politeness to each host: a limit of requests at a time, and no requests for as long as the host asks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Host:
    """The turns of one host."""

    def __init__(self, at_a_time: int) -> None:
        self._turns = asyncio.Semaphore(at_a_time)
        self._quiet_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a free turn and for the end of a pause, then hold the turn."""
        async with self._turns:
            while (rest := self._quiet_until - time.monotonic()) > 0:
                await asyncio.sleep(rest)
            yield

    def keep_quiet(self, seconds: float) -> None:
        """Send this host no new requests for a number of seconds."""
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)


class Hosts:
    """The hosts that were contacted, by name and port."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._hosts: dict[bytes, Host] = {}

    def __getitem__(self, netloc: bytes) -> Host:
        return self._hosts.setdefault(netloc, Host(self._at_a_time))
