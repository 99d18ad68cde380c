from pathlib import Path

import pytest

from prism_rec.tuning.tune import Tuned, tune
from tuning.searching import data, search_with

__all__ = ["data"]


@pytest.fixture(scope="session")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path]:
    """Return a search that was left alone, and its folder."""
    out = tmp_path_factory.mktemp("alone") / "out"
    return tune(search_with(), out, data=data, device="cpu"), out
