"""Addresses that may not be contacted."""

from pathlib import Path

import polars as pl
import pytest

from features.images.gathering import LOOPBACK, QUICK, gather, statuses, table
from features.images.picture_server import PictureServer
from prism_rec.features.images import PICTURES


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/a.jpg", "bad-url"),
        ("http://", "bad-url"),
        ("http://127.0.0.1:99999/a.jpg", "bad-url"),
        ("http://[::1/a.jpg", "bad-url"),
        ("http://" + "a" * 70 + ".example/a.jpg", "bad-url"),
        ("http://127.0.0.1/" + "a" * 9000, "bad-url"),
        ("http://me:secret@127.0.0.1/a.jpg", "address-refused"),
        ("http://127.0.0.1/a.jpg", "address-refused"),
        ("http://0x7f.1/a.jpg", "address-refused"),
        ("http://2130706433/a.jpg", "address-refused"),
        ("http://[::ffff:127.0.0.1]/a.jpg", "address-refused"),
        ("http://8.8.8.8:22/a.jpg", "address-refused"),
    ],
)
def test_what_may_not_be_contacted_is_a_failure_for_good(images: Path, url: str, reason: str) -> None:
    gather(pl.DataFrame({"item_id": ["a"], "images": [url]}), images, QUICK)
    row = pl.read_parquet(images / PICTURES).row(0, named=True)
    assert (row["status"], row["reason"]) == ("failed", reason)


def test_private_addresses_are_refused_unless_allowed(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg"), images, QUICK)
    assert not server.log
    assert statuses(images) == {"/ok/a.jpg": "failed"}


def test_refused_addresses_are_visited_once_they_are_allowed(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg", "/missing/a.jpg"), images, QUICK)
    assert not server.log
    gather(None, images, LOOPBACK)
    assert statuses(images) == {"/ok/a.jpg": "ok", "/missing/a.jpg": "failed"}
    gather(None, images, LOOPBACK)
    assert server.requests == {"/ok/a.jpg": 1, "/missing/a.jpg": 1}
