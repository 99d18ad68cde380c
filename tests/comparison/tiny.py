"""Tiny data and a recipe whose cells take a moment."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.comparison.cell import run_cell
from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe
from prism_rec.data import Dataset
from prism_rec.events import Events
from prism_rec.files import locked

USERS, ITEMS, EVENTS = 40, 30, 6


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare random histories, with one modality that some items lack."""
    random = np.random.default_rng(0)
    chosen = [random.choice(ITEMS, EVENTS, replace=False) for _ in range(USERS)]
    log = pl.DataFrame(
        {
            "user_id": [f"u{user}" for user in range(USERS) for _ in range(EVENTS)],
            "item_id": [f"i{item}" for items in chosen for item in items],
            "timestamp": [place for _ in range(USERS) for place in range(EVENTS)],
        }
    )
    described = sorted(set(log["item_id"]))[:-4]
    features = {"text": (random.normal(size=(len(described), 5)).astype(np.float32), described)}
    folder = tmp_path_factory.mktemp("prepared") / "data"
    Dataset.from_frame(log, features=features, time="order").save(folder)
    return folder


@pytest.fixture
def recipe(prepared: Path) -> Recipe:
    """Return a recipe of two models, one seed and one small budget."""
    return Recipe.parse(
        {
            "base": {
                "model": {"width": 8, "max_length": 6, "backbone": {"kind": "sasrec", "layers": 1}},
                "train": {"epochs": 3, "patience": 3, "batch_size": 16},
            },
            "models": {
                "id": {"model": {"fusion": {"kind": "id"}}},
                "prism": {"model": {"fusion": {"kind": "prism_experts", "hidden": 8}}},
            },
            "data": {"tiny": str(prepared)},
            "reference": "id",
        },
        "recipe",
    )


@pytest.fixture
def cells(recipe: Recipe, tmp_path: Path) -> list[Cell]:
    return plan(recipe, tmp_path / "out")


def make(cell: Cell) -> None:
    with locked(cell.folder, wait=False):
        run_cell(cell, "cpu", 1, Events())
