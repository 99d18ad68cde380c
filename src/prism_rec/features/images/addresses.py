"""Which addresses may be contacted: the defence against being sent into a private network.

A URL from data may name this machine, a neighbour or a cloud's metadata service: by number, by a name that resolves
there, or by a redirect. So the check is made where the connection is made: `CheckedBackend` resolves the name, checks
every address, and connects to one of the checked addresses. There is no second look-up that could give another answer.
Every redirect is checked again, because it needs a connection too.
"""

import asyncio
import ipaddress
import select
import socket
from collections.abc import Iterable

import httpcore2
import httpx2

from prism_rec.features.images.outcome import Failure
from prism_rec.features.images.streams import WatchedStream

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = (80, 443)
_LONGEST_URL = 8192


def parse_url(text: str, *, allow_private: bool = False) -> httpx2.URL:
    """Return the URL if its form is acceptable; the addresses of its name are checked on connecting.

    Allowed are http and https; no user name or password (a credential in a table is a leak or a trap); ports 80,
    443 and from 1024 on, because the services on other ports are not web servers. `allow_private` allows any port.

    Raises:
        Failure: `bad-url`, or `address-refused` for a port or credentials that are not accepted.
    """
    try:
        if len(text) > _LONGEST_URL:
            raise ValueError
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        raise Failure("bad-url") from None
    port = 80 if url.port is None else url.port
    if url.scheme not in ("http", "https") or not url.host or not 0 < port < 2**16:
        raise Failure("bad-url")
    if url.userinfo:
        raise Failure("address-refused")
    if port not in _PORTS and port < 1024 and not allow_private:
        raise Failure("address-refused")
    return url


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet; an IPv4 address inside an IPv6 address is checked too."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = _carried_ipv4(address)
        if carried is not None:
            return is_public(carried)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def resolve(host: str, port: int, *, allow_private: bool = False) -> list[str]:
    """Return the addresses of a host name, IPv4 first.

    Raises:
        Failure: `no-such-host`, or `address-refused` if any of the addresses is not public (one is enough: a name
            with public and private addresses is a trap or a mistake).
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise Failure("bad-url") from None
    except OSError:
        raise Failure("no-such-host", may_pass=True) from None
    addresses = [str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0] != socket.AF_INET)]
    if not allow_private and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
        raise Failure("address-refused")
    return list(dict.fromkeys(addresses))


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of `host` that answers, within `timeout` seconds in total."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await resolve(host, port, allow_private=self._allow_private)
                stream = await self._connect_first(addresses, port, timeout, local_address, socket_options)
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None
        return WatchedStream(stream) if hasattr(select, "poll") else stream

    async def _connect_first(
        self,
        addresses: list[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(addresses[-1], port, share, local_address, socket_options)
