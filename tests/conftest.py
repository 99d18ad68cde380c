"""What every test runs under, and fixtures that more than one folder uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
from hypothesis import settings

# Where tensors are, annotations and their shapes are checked; this has to come before the first import.
CHECKED = ("nn", "fusion", "backbones", "model", "objectives", "batches", "rank", "training", "testing")
jaxtyping.install_import_hook([f"prism_rec.{package}" for package in CHECKED], "beartype.beartype")

import torch  # noqa: E402

torch.set_num_threads(1)  # the models are tiny: more threads only wait for each other

# Parallel tests share the processors, so the time of one example proves nothing.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

PUBLISHED = Path(__file__).parent / "golden" / "published.npz"


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    """Arrays recorded from the published code, by name; PRISM_GOLDEN names another file to compare with."""
    with np.load(os.environ.get("PRISM_GOLDEN", PUBLISHED)) as arrays:
        return dict(arrays)


@pytest.fixture(scope="class")
def ray_cluster() -> Iterator[None]:
    """Ray with two workers on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'prism-rec[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves them for minutes on a busy machine
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
