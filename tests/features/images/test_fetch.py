"""One address at a time: the request that is sent, and the answer or failure that comes back."""

import asyncio
from typing import Any

import pytest

from features.images.picture_server import PictureServer, draw
from prism_rec.features.images.fetch import Answer, Fetcher
from prism_rec.features.images.outcome import Failure
from prism_rec.features.images.settings import Gathering

SETTINGS = Gathering(allow_private=True, attempts=3, backoff=0.01, timeout=20, deadline=20, max_bytes=200_000)


def fetch(address: str, etag: str | None = None, **changes: Any) -> Answer:
    async def once() -> Answer:
        async with Fetcher(SETTINGS.model_copy(update=changes)) as fetcher:
            return await fetcher.fetch(address, etag)

    return asyncio.run(once())


def failure_of(address: str, **changes: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        fetch(address, **changes)
    return caught.value


def test_a_request_says_who_asks_and_asks_for_the_picture_as_it_is(server: PictureServer) -> None:
    answer = fetch(server.base + "/ok/a.jpg")
    number = sum(b"/ok/a.jpg")
    assert answer == Answer(draw(number), f'"version-{number}"', framed=True, attempts=1)
    ((_, headers),) = server.log
    assert headers["User-Agent"].startswith("prism-rec/")
    assert (headers["Accept"], headers["Accept-Encoding"]) == ("image/*", "identity")
    assert headers["Host"] == server.base.removeprefix("http://")
    assert not {"Cookie", "Referer", "Authorization", "If-None-Match"} & set(headers)


def test_a_stored_version_is_only_asked_about(server: PictureServer) -> None:
    etag = fetch(server.base + "/ok/a.jpg").etag
    assert fetch(server.base + "/ok/a.jpg", etag).body is None
    assert server.log[1][1]["If-None-Match"] == etag
    assert fetch(server.base + "/changing/a.jpg", '"1"').body == draw(2)


def test_a_redirect_is_followed_without_being_an_attempt(server: PictureServer) -> None:
    answer = fetch(server.base + "/moved/a.jpg")
    assert (answer.body, answer.attempts) == (draw(sum(b"/ok/moved.jpg")), 1)
    assert fetch(server.base + "/moved/a.jpg", redirects=1).body == answer.body
    assert failure_of(server.base + "/moved/a.jpg", redirects=0).reason == "too-many-redirects"
    assert fetch(server.base + "/ok/a.jpg", redirects=0).body


@pytest.mark.parametrize("path", ["/to-metadata/a.jpg", "/to-another-service/a.jpg"])
def test_every_redirect_is_checked_as_the_first_address_is(
    server: PictureServer, loopback_is_public: None, path: str
) -> None:
    failure = failure_of(server.base + path, allow_private=False)
    assert (failure.reason, failure.may_pass, failure.attempts) == ("address-refused", False, 1)


@pytest.mark.parametrize(
    ("path", "reason", "attempts"),
    [("/error/a.jpg", "http-500", 3), ("/missing/a.jpg", "http-404", 1), ("/busy-long/a.jpg", "http-429", 1)],
    ids=["may pass", "does not pass", "asks for too long a wait"],
)
def test_only_a_failure_that_may_pass_soon_is_tried_again(
    server: PictureServer, path: str, reason: str, attempts: int
) -> None:
    failure = failure_of(server.base + path)
    assert (failure.reason, failure.attempts) == (reason, attempts)
    assert server.requests == {path: attempts}


def test_a_failure_that_passed_leaves_the_number_of_attempts(server: PictureServer) -> None:
    assert fetch(server.base + "/error-once/a.jpg").attempts == 2


def test_a_body_ends_at_the_limit_whether_its_length_was_told_or_not(server: PictureServer) -> None:
    for path in ("/told-large/a.jpg", "/untold-large/a.jpg"):
        assert failure_of(server.base + path).reason == "too-many-bytes"
