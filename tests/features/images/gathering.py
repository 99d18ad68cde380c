"""What the tests of gathering share: settings, a table of addresses, and what came of them."""

from pathlib import Path

import polars as pl
import pytest

from features.images.picture_server import PictureServer
from prism_rec.features.images import PICTURES
from prism_rec.stages.images import Images
from prism_rec.stages.images import images as run

# The limits of time are far above what any answer takes, also on a busy machine; only HASTY is meant to run into them.
QUICK = Images(attempts=2, backoff=0.01, timeout=20, deadline=20, max_bytes=200_000, size=32)
LOOPBACK = QUICK.model_copy(update={"allow_private": True})
HASTY = LOOPBACK.model_copy(update={"timeout": 0.8, "deadline": 1.0})


def gather(table: object, out: Path, settings: Images) -> None:
    run(settings, out, sources=table)


def table(server: PictureServer, *paths: str) -> pl.DataFrame:
    return pl.DataFrame({"item_id": paths, "images": [server.base + path for path in paths]})


def statuses(folder: Path) -> dict[str, str]:
    return dict(pl.read_parquet(folder / PICTURES).select("item_id", "status").iter_rows())


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images"
