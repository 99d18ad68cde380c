"""The address of a server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from prism_rec.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@contextmanager
def listen(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """Listen on an address, before anything else is done for a server.

    Yields:
        The socket and the address for a browser.

    Raises:
        InputError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"cannot listen on {host}, port {port} ({reason}); choose another `host` or `port`"
        ) from None
    with listener:
        shown, number = listener.getsockname()[:2]
        yield listener, f"http://{f'[{shown}]' if ':' in shown else shown}:{number}"
