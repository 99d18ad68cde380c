"""Fixtures that more than one test folder uses."""

import os
from pathlib import Path

import numpy as np
import pytest

PUBLISHED = Path(__file__).parent / "golden" / "published.npz"


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    """Arrays recorded from the published code, by name; PRISM_GOLDEN names another file to compare with."""
    with np.load(os.environ.get("PRISM_GOLDEN", PUBLISHED)) as arrays:
        return dict(arrays)
