"""A comparison that cannot work is refused before anything runs."""

import os
from pathlib import Path
from typing import Any

import pytest

from prism_rec.comparison.compare import compare
from prism_rec.comparison.recipe import Recipe
from prism_rec.errors import InputError
from prism_rec.jobs.job import Workers
from prism_rec.jobs.local import LocalJobs


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"modalities": ["text", "sound"]}, "no 'sound'"),
        (
            {"fusion": {"kind": "prism_experts", "lambdas": {"uniques": {"sound": 0.5}}}},
            "no modality 'sound'",
        ),
        ({"width": 9, "backbone": {"heads": 2}}, "not a multiple"),
    ],
    ids=["modality", "loss weight", "heads"],
)
def test_a_model_that_does_not_fit_the_data_is_refused_before_any_cell(
    recipe: Recipe, tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    recipe = recipe.model_copy(update={"models": {**recipe.models, "odd": {"model": model}}})
    with pytest.raises(InputError, match=f"model odd does not fit data tiny: .*{message}"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_model_that_does_not_fit_is_refused_before_any_search(recipe: Recipe, tmp_path: Path) -> None:
    space = {"train.learning_rate": {"kind": "choice", "values": [1e-3, 1e-2]}}
    models = {
        name: {"model": {"modalities": [name]}, "tune": {"trials": 1, "space": space}}
        for name in ("text", "sound")
    }
    recipe = recipe.model_copy(update={"models": models, "reference": "text"})
    with pytest.raises(InputError, match="model sound does not fit data tiny: .*no 'sound'"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_data_that_is_not_prepared_is_refused_before_anything_runs(recipe: Recipe, tmp_path: Path) -> None:
    recipe = recipe.model_copy(update={"data": {"x": tmp_path}})
    with pytest.raises(InputError, match="run prepare again"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("cores", "threads", "jobs", "expected"),
    [(8, 2, None, 4), (8, 3, None, 2), (1, 2, None, 1), (None, 1, None, 1), (8, 1, 3, 3)],
)
def test_cells_share_the_cores(
    monkeypatch: pytest.MonkeyPatch,
    cores: int | None,
    threads: int,
    jobs: int | None,
    expected: int,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert LocalJobs().check(Workers(jobs, threads, "cpu")).jobs == expected
