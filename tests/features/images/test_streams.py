"""Connections as the pool sees them, over real sockets."""

import asyncio
import select

import httpcore2
import pytest

from prism_rec.features.images.addresses import CheckedBackend
from prism_rec.features.images.streams import WatchedStream

pytestmark = pytest.mark.skipif(not hasattr(select, "poll"), reason="this system has no poll")


async def talk(steps: dict[str, bool]) -> None:
    """Note whether a connection is readable after each thing that the other side does."""
    servers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: servers.append(writer), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        stream = await CheckedBackend(allow_private=True).connect_tcp("127.0.0.1", port, timeout=5)
        assert isinstance(stream, WatchedStream)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        steps["nothing"] = stream.get_extra_info("is_readable")
        await stream.write(b"hello", timeout=5)
        servers[0].write(b"answer")
        steps["answer read"] = await stream.read(100, timeout=5) != b"answer"
        servers[0].close()
        await servers[0].wait_closed()
        await asyncio.sleep(0.05)
        steps["closed"] = stream.get_extra_info("is_readable")
        await stream.aclose()


def test_an_idle_connection_is_readable_once_it_was_closed() -> None:
    steps: dict[str, bool] = {}
    asyncio.run(talk(steps))
    assert steps == {"nothing": False, "answer read": False, "closed": True}


class Plain(httpcore2.AsyncNetworkStream):
    def __init__(self, socket: object) -> None:
        self.socket = socket

    async def start_tls(self, *_: object, **__: object) -> httpcore2.AsyncNetworkStream:
        return Plain(self.socket)

    def get_extra_info(self, info: str) -> object:
        return self.socket if info == "socket" else info


def test_a_connection_stays_watched_under_tls() -> None:
    import socket
    import ssl

    with socket.socket() as open_socket:
        context = ssl.create_default_context()
        secured = asyncio.run(WatchedStream(Plain(open_socket)).start_tls(context, "example.org", 1.0))
    assert isinstance(secured, WatchedStream)
    assert secured.get_extra_info("ssl_object") == "ssl_object"
