"""Tiny data: all users go round the same circle of items, so that there is something to learn."""

from pathlib import Path

import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.tuning.tune import Tuned, tune
from tuning.searching import search_with

USERS, ITEMS, EVENTS = 40, 30, 6


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    places = [(user, place) for user in range(USERS) for place in range(EVENTS)]
    log = pl.DataFrame(
        {
            "user_id": [f"u{user}" for user, _ in places],
            "item_id": [f"i{(7 * user + place) % ITEMS}" for user, place in places],
            "timestamp": list(range(len(places))),
        }
    )
    folder = tmp_path_factory.mktemp("prepared") / "data"
    Dataset.from_frame(log, time="order").save(folder)
    return folder


@pytest.fixture(scope="session")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path]:
    """Return a search that was left alone, and its folder."""
    out = tmp_path_factory.mktemp("alone") / "out"
    return tune(search_with(), out, data=data, device="cpu"), out
