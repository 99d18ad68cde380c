"""One URL -> its bytes, or a failure that says whether it is temporary."""

import asyncio
import email.utils
import random
import time
from dataclasses import dataclass
from importlib.util import find_spec
from types import TracebackType

import httpcore2
import httpx2
import tenacity

from prism_rec.features.images.addresses import CheckedBackend, parse_url
from prism_rec.features.images.hosts import Hosts
from prism_rec.features.images.outcome import Failure
from prism_rec.features.images.settings import Gathering
from prism_rec.version import VERSION

_REDIRECTS = (301, 302, 303, 307, 308)
_MAY_PASS = (408, 425, 429)
_LONGEST_ETAG = 512
_HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": f"prism-rec/{VERSION}",
    "Accept": "image/*",
    # Pictures are compressed already; a compressed body would only hide its true length from the limit.
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server.

    `body` is None if the version named by the ETag is still the newest. `framed` is False if only the end of the
    connection marked the end of the body, so that a cut cannot be noticed.
    """

    body: bytes | None
    etag: str | None = None
    framed: bool = True
    attempts: int = 1


class Fetcher:
    """Fetches URLs over pooled connections to checked addresses; with HTTP/2 if h2 is installed and the host offers it.

    It uses httpcore2, the lower half of httpx2, which follows no redirects, keeps no cookies and decodes no
    content: none of these may happen unchecked here. Proxies are not used, because they would look up names
    themselves.
    """

    def __init__(self, settings: Gathering) -> None:
        self._settings = settings
        self._hosts = Hosts(settings.per_host)
        self._timeouts = {"connect": settings.timeout, "read": settings.timeout, "write": settings.timeout}
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=settings.connections,
            keepalive_expiry=5.0,
            http2=find_spec("h2") is not None,
            network_backend=CheckedBackend(allow_private=settings.allow_private),
        )

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()

    async def fetch(self, url: str, etag: str | None = None) -> Answer:
        """Return the content of a URL, after as many attempts as the settings allow.

        Args:
            url: from the data; nothing about it is trusted.
            etag: of the stored version, if there is one.

        Raises:
            Failure: that of the last attempt, with the number of attempts.
        """
        attempts = 0
        try:
            async for attempt in tenacity.AsyncRetrying(
                stop=tenacity.stop_after_attempt(self._settings.attempts),
                wait=self._wait,
                retry=tenacity.retry_if_exception(self._is_worth_another),
                reraise=True,
            ):
                with attempt:
                    attempts += 1
                    answer = await self._follow(url, etag)
        except Failure as failure:
            failure.attempts = attempts
            raise
        return Answer(answer.body, answer.etag, answer.framed, attempts)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        # A Retry-After is honoured by `Host.keep_quiet`, which holds for every other request to the host as well.
        return self._settings.backoff * 2.0 ** (state.attempt_number - 1) * random.uniform(0.75, 1.25)

    def _is_worth_another(self, error: BaseException) -> bool:
        return (
            isinstance(error, Failure)
            and error.may_pass
            and (error.retry_after or 0) <= self._settings.longest_wait
        )

    async def _follow(self, text: str, etag: str | None) -> Answer:
        url = parse_url(text, allow_private=self._settings.allow_private)
        for _ in range(self._settings.redirects + 1):
            host = self._hosts[url.netloc]
            try:
                async with host.turn(), asyncio.timeout(self._settings.deadline):
                    answer = await self._exchange(url, etag)
            except TimeoutError:
                raise Failure("timeout", may_pass=True) from None
            except Failure as failure:
                if failure.retry_after and failure.retry_after <= self._settings.longest_wait:
                    host.keep_quiet(failure.retry_after)
                raise
            if isinstance(answer, Answer):
                return answer
            url = parse_url(_join(url, answer), allow_private=self._settings.allow_private)
        raise Failure("too-many-redirects")

    async def _exchange(self, url: httpx2.URL, etag: str | None) -> Answer | str:
        """Send one request; return its answer, or the address of a redirect."""
        headers = {**_HEADERS, "Host": url.netloc}
        if etag is not None:
            headers["If-None-Match"] = etag
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        extensions = {"timeout": self._timeouts}
        try:
            async with self._pool.stream("GET", target, headers=headers, extensions=extensions) as response:
                return await self._read(response, conditional=etag is not None)
        except httpcore2.TimeoutException:
            raise Failure("timeout", may_pass=True) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            raise Failure("network", may_pass=True) from None

    async def _read(self, response: httpcore2.Response, *, conditional: bool) -> Answer | str:
        headers = httpx2.Headers(response.headers)
        if response.status == 304 and conditional:
            return Answer(None)
        if response.status in _REDIRECTS and "location" in headers:
            return headers["location"]
        if response.status != 200:
            raise _refusal(response.status, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Failure("content-coding")
        body = await self._read_body(response, headers)
        framed = (
            "content-length" in headers
            or "transfer-encoding" in headers
            or response.extensions["http_version"] == b"HTTP/2"
        )
        return Answer(body, _usable(headers.get("etag")), framed)

    async def _read_body(self, response: httpcore2.Response, headers: httpx2.Headers) -> bytes:
        told = headers.get("content-length", "0")
        if not told.isdecimal() or len(told) > 18 or int(told) > self._settings.max_bytes:
            raise Failure("too-many-bytes")
        body = bytearray()
        try:
            async for part in response.aiter_stream():
                body += part
                if len(body) > self._settings.max_bytes:
                    raise Failure("too-many-bytes")
        except httpcore2.ProtocolError:
            raise Failure("truncated", may_pass=True) from None
        return bytes(body)


def _join(base: httpx2.URL, location: str) -> str:
    try:
        return str(base.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise Failure("bad-url") from None


def _usable(etag: str | None) -> str | None:
    return etag if etag and len(etag) <= _LONGEST_ETAG and etag.isascii() else None


def _refusal(status: int, headers: httpx2.Headers) -> Failure:
    may_pass = status in _MAY_PASS or status >= 500
    return Failure(f"http-{status}", may_pass=may_pass, retry_after=_retry_after(headers.get("retry-after")))


def _retry_after(text: str | None) -> float | None:
    """Return the seconds to wait, from either form of the header (RFC 9110, 10.2.3); None if it cannot be read."""
    if text is None:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
