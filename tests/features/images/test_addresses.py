"""What may be contacted, decided where the connection is made."""

import asyncio
import ipaddress
import socket

import httpcore2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.features.images.addresses import CheckedBackend, is_public, parse_url
from prism_rec.features.images.outcome import Failure

PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.0.9",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
@settings(max_examples=200)
def test_an_address_carried_inside_another_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(int(address) | 0xFFFF << 32)
    translated = ipaddress.IPv6Address(int(address) | 0x64FF9B << 96)
    relayed = ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80)
    assert {is_public(form) for form in (mapped, translated, relayed)} == {is_public(address)}


@given(st.text(max_size=60) | st.text("/:@[]%.#?a1\\ ", max_size=30).map("http://".__add__))
@settings(max_examples=300)
def test_any_text_is_a_web_address_or_a_failure(text: str) -> None:
    try:
        url = parse_url(text)
    except Failure:
        return
    assert url.scheme in ("http", "https")
    assert url.host
    assert not url.userinfo


def test_ports_below_1024_are_for_the_web_alone() -> None:
    for port in (80, 443, 1024, 8080):
        parse_url(f"http://pictures.example:{port}/a.jpg")
    for port in (1, 22, 25, 1023):
        with pytest.raises(Failure, match="address-refused"):
            parse_url(f"http://pictures.example:{port}/a.jpg")
        parse_url(f"http://pictures.example:{port}/a.jpg", allow_private=True)


class Names:
    """A name server that may say something else each time, and a network that notes who is called."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *answers: list[str], deaf: tuple[str, ...] = ()
    ) -> None:
        self.answers = list(answers)
        self.called: list[str] = []
        self.deaf = deaf
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)
        monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", self.connect)

    def look_up(self, host: str, port: int, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in self.answers.pop(0)
        ]

    async def connect(self, address: str, *args: object) -> httpcore2.AsyncNetworkStream:
        self.called.append(address)
        if address in self.deaf:
            raise httpcore2.ConnectError
        return httpcore2.AsyncNetworkStream()


def connect(*, allow_private: bool = False) -> None:
    backend = CheckedBackend(allow_private=allow_private)
    asyncio.run(backend.connect_tcp("pictures.example", 80, timeout=30))


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    connect()
    assert names.called == ["8.8.8.8"]
    assert names.answers == [["127.0.0.1"]], "one look-up a connection: there is no second answer to fall for"
    with pytest.raises(Failure, match="address-refused"):
        connect()
    assert names.called == ["8.8.8.8"]


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(Failure, match="address-refused"):
        connect()
    assert not names.called
    connect(allow_private=True)
    assert names.called == ["8.8.8.8"]


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["2606:4700::1111", "8.8.8.8", "8.8.4.4"], deaf=("8.8.8.8", "8.8.4.4"))
    connect()
    assert names.called == ["8.8.8.8", "8.8.4.4", "2606:4700::1111"]


def test_a_name_that_stands_for_nothing_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Failure, match="no-such-host") as caught:
        connect()
    assert caught.value.may_pass
