"""Requests to a server that are wrong in some way: from strategies, from its description, or by hand."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

POSTS = ("/recommend", "/explain", "/similar", "/items")
TOKEN = "secret"

IDS = st.sampled_from(["item-01", "item-05", "gone", ""]) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | IDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(IDS, inner, max_size=4),
    max_leaves=12,
)
WHERE = st.dictionaries(
    st.sampled_from(["title", "item_id", "row", "x"]),
    JSON | st.fixed_dictionaries({}, optional={"min": JSON, "max": JSON, "contains": JSON}),
    max_size=2,
)
RIGHT: dict[str, dict[str, Any]] = {
    "/recommend": {"histories": [["item-01"]]},
    "/explain": {"history": ["item-01"], "item": "item-05"},
    "/similar": {"item": "item-05"},
    "/items": {"items": [{"item_id": "new"}]},
}
CHOICE = {
    "k": st.integers() | JSON,
    "candidates": st.lists(IDS, max_size=3) | JSON,
    "exclude": st.lists(IDS, max_size=3) | JSON,
    "where": WHERE | JSON,
    "extra": JSON,
}
HISTORY = st.lists(IDS, max_size=4)
ODD: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "/recommend": CHOICE
    | {
        "histories": st.lists(HISTORY, max_size=3) | JSON,
        "users": HISTORY | JSON,
        "seen": st.sampled_from(["remove", "keep"]) | JSON,
    },
    "/explain": {"history": HISTORY | JSON, "item": IDS | JSON, "extra": JSON},
    "/similar": CHOICE | {"item": IDS | JSON},
    "/items": {
        "items": st.lists(st.dictionaries(IDS | st.just("item_id"), JSON, max_size=3), max_size=2) | JSON,
        "features": st.dictionaries(st.sampled_from(["image", "x"]), JSON) | JSON,
    },
}


class Request(NamedTuple):
    method: str
    path: str
    body: bytes | None


class Answer(NamedTuple):
    status: int
    body: bytes


def nearly_right(paths: tuple[str, ...] = POSTS) -> st.SearchStrategy[Request]:
    """Return requests that are right but for the values of up to two keys."""

    def of_path(path: str) -> st.SearchStrategy[Request]:
        keys = st.lists(st.sampled_from(sorted(ODD[path])), max_size=2, unique=True)
        odd = keys.flatmap(lambda names: st.fixed_dictionaries({name: ODD[path][name] for name in names}))
        return odd.map(lambda values: Request("POST", path, dump(RIGHT[path] | values)))

    return st.one_of([of_path(path) for path in paths])


def described(description: dict[str, Any], paths: tuple[str, ...] = POSTS) -> st.SearchStrategy[Request]:
    """Return requests that suit the server's description, and some that do not."""
    schema = schemathesis.openapi.from_dict(description)
    strategies = [
        found.ok().as_strategy(generation_mode=mode)
        for found in schema.get_all_operations()
        if found.ok().path in paths
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.one_of(strategies).map(lambda case: Request(case.method, case.path, dump(case.body)))


def dump(body: object) -> bytes | None:
    if isinstance(body, schemathesis.core.NotSet):
        return None
    return body if isinstance(body, bytes) else json.dumps(body, default=str).encode("utf-8", "replace")


def complaint(answer: Answer, method: str = "POST") -> str | None:
    """Return what is wrong with an answer: 2xx, or 4xx or 503 with one line of JSON, are right."""
    if 200 <= answer.status < 300:
        return None
    if not (400 <= answer.status < 500 or answer.status == 503):
        return f"status {answer.status}"
    if method == "HEAD" and not answer.body:
        return None
    try:
        line = json.loads(answer.body)["error"]
        return None if line and "\n" not in line else "the reason is not one line"
    except (ValueError, KeyError, TypeError):
        return f"no JSON reason in {answer.body[:60]!r}"


def head(path: str = "/recommend", method: str = "POST", **headers: str) -> bytes:
    """Return the first lines of a request that the server closes after its answer; `_` in a name is `-`."""
    given = {"Host": "x", "Authorization": f"Bearer {TOKEN}", "Connection": "close"}
    given |= {"Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n"


def post(body: bytes, path: str = "/recommend", **headers: str) -> bytes:
    return head(path, Content_Length=str(len(body)), **headers) + b"\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(Transfer_Encoding="chunked") + b"\r\n" + parts + end


GOOD = b'{"histories": [["item-01"]], "k": 2}'
NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "0", "-1", "1000000000", "9" * 5000, "1.5", '"5"', "true"]
TEXTS = [b"\xff\xfe", b"\xef\xbb\xbf" + GOOD, GOOD.decode().encode("utf-16"), b"", b" ", b"{", b"null", b"[]"]
TYPES = [
    "text/plain",
    "application/xml",
    "multipart/form-data",
    "application/json; charset=utf-16",
    "",
    "\xe9",
]
METHODS = ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"]
PATHS = [
    "/nothing",
    "//recommend",
    "/recommend/",
    "/%00",
    "/../etc",
    "/recommend?k=1",
    "/" + "a" * 9000,
    "/\xe9",
]
TOKENS = [
    "",
    "Bearer",
    "Bearer wrong",
    "Basic c2VjcmV0",
    "Bearer \xe9",
    "Bearer secret secret",
    "bearer secret",
]
VALUES = ["null", '"\\ud800"', '"\\u0000"', f'"{"x" * 2000}"', "[[[]]]", "{}", "[null]", '["gone"]', '[[""]]']

Making = Callable[[Random], bytes]


def _key(name: str, values: list[str]) -> Making:
    return lambda random: post(
        b'{"histories": [["item-01"]], "%s": %s}' % (name.encode(), random.choice(values).encode())
    )


def _deep(random: Random) -> bytes:
    depth = random.choice([50, 1000, 20_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return post(b'{"histories": ' + opening * depth + b"1" + closing * depth + b"}")


def _cut(random: Random) -> bytes:
    return post(GOOD[: random.randrange(len(GOOD))])


def _changed(random: Random) -> bytes:
    whole = bytearray(post(GOOD))
    for _ in range(random.randint(1, 4)):
        whole[random.randrange(len(whole) - len(GOOD))] = random.choice(b"\x00\x01 :\r\n\x7f\xffA9")
    return bytes(whole)


HOSTILE: dict[str, Making] = {
    "number of items": _key("k", NUMBERS),
    "value of another type": lambda r: _key(r.choice(["histories", *CHOICE]), VALUES)(r),
    "number in a vector": lambda r: post(
        b'{"items": [{"item_id": "a"}], "features": {"image": {"a": [%s]}}}' % r.choice(NUMBERS).encode(),
        "/items",
    ),
    "deep JSON": _deep,
    "no JSON": lambda r: post(r.choice(TEXTS)),
    "cut JSON": _cut,
    "random bytes as a body": lambda r: post(r.randbytes(r.randrange(200))),
    "many histories": lambda r: post(
        b'{"histories": [%s["item-01"]]}' % (b'["item-01"], ' * r.randint(999, 5000))
    ),
    "long history": lambda r: post(
        b'{"histories": [[%s"item-01"]]}' % (b'"item-01", ' * r.randint(999, 5000))
    ),
    "oversized body": lambda r: post(b" " * r.choice([1 << 20, (1 << 20) + 1, 3 << 20]) + GOOD),
    "oversized body that is announced only": lambda r: (
        head(Content_Length="9" * r.randint(8, 18)) + b"\r\n" + GOOD
    ),
    "body in chunks": lambda r: chunked(*(GOOD[i : i + 1] for i in range(len(GOOD)))),
    "oversized body in chunks": lambda r: chunked(*[b" " * 65_536] * 20),
    "wrong chunk": lambda r: chunked(
        GOOD, end=r.choice([b"xyz\r\n", b"-1\r\n", b"fffffffffffffffff\r\n", b"0\r\n\x00: \r\n\r\n"])
    ),
    "endless trailers": lambda r: chunked(GOOD, end=b"0\r\n" + b"a: b\r\n" * 40_000),
    "wrong content type": lambda r: post(GOOD, Content_Type=r.choice(TYPES)),
    "wrong token": lambda r: post(GOOD, Authorization=r.choice(TOKENS)),
    "other method": lambda r: head(method=r.choice(METHODS)) + b"\r\n",
    "other path": lambda r: (
        head(r.choice(PATHS), method=r.choice(["GET", "POST"]), Content_Length="0") + b"\r\n"
    ),
    "large header": lambda r: post(GOOD, X="a" * r.choice([10_000, 100_000, 400_000])),
    "many headers": lambda r: post(GOOD, **{f"X{n}": "a" * 50 for n in range(r.choice([100, 1000, 8000]))}),
    "length and chunks": lambda r: post(GOOD, Transfer_Encoding="chunked"),
    "wrong length": lambda r: (
        head(Content_Length=r.choice(["-1", "1e3", "x", "0x10", "1, 2"])) + b"\r\n" + GOOD
    ),
    "changed head": _changed,
    "no HTTP": lambda r: r.randbytes(r.randint(1, 300)) + b"\r\n\r\n",
    "other protocol": lambda r: r.choice(
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    ),
    "upgrade": lambda r: (
        head(
            "/health",
            "GET",
            Connection="Upgrade, close",
            Upgrade=r.choice(["websocket", "h2c"]),
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
        )
        + b"\r\n"
    ),
    "expectation": lambda r: post(GOOD, Expect=r.choice(["100-continue", "something"])),
    "several requests at once": lambda r: post(GOOD, Connection="keep-alive") * r.randint(2, 50) + post(GOOD),
}

SLOW: dict[str, bytes] = {
    "silent": b"",
    "half a head": head()[:40],
    "half a body": head(Content_Length="50") + b"\r\n{",
    "half a chunk": head(Transfer_Encoding="chunked") + b"\r\n10\r\n{",
    "no reading": post(GOOD, Connection="keep-alive") * 50,
}


class Exchange(NamedTuple):
    """What came back for some bytes."""

    answers: list[Answer]
    seconds: float
    """How long this client took to send: the server may close a connection on which nothing comes for some time."""


def send(port: int, sent: bytes, reads: bool = True, seconds: float = 60) -> list[Answer]:
    """Send bytes on a connection of their own; return the answers until it is closed, if they are read."""
    return exchange(port, sent, reads, seconds).answers


def exchange(port: int, sent: bytes, reads: bool = True, seconds: float = 60) -> Exchange:
    """Do what `send` does; return how long the sending took too."""
    received, begun = b"", time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        with suppress(ConnectionResetError, BrokenPipeError):  # refused before all was sent
            client.sendall(sent)
        taken = time.perf_counter() - begun
        with suppress(ConnectionResetError):
            while reads and (part := client.recv(1 << 16)):
                received += part
    return Exchange(answers_in(received, sent.startswith(b"HEAD")), taken)


class CutError(Exception):
    """An answer ends too early."""


def answers_in(received: bytes, without_body: bool = False) -> list[Answer]:
    """Return the answers, one after another, of which each says how long it is.

    Raises:
        CutError: the last one is not complete.
    """
    answers = []
    while received:
        first, found, received = received.partition(b"\r\n\r\n")
        lines = first.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
        length = 0 if without_body else int(fields.get(b"content-length", 0))
        status = int(lines[0].split()[1])
        if not found or status >= 200 and len(received) < length:
            raise CutError
        if status >= 200:
            answers.append(Answer(status, received[:length]))
            received = received[length:]
    return answers
