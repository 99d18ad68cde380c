"""The settings of the stage `validate-explanations`; read without torch."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.sources.planted import Planted

Name = Literal[
    "prism", "prism-gate", "experts", "experts-strong", "experts-predictions", "published", "nested", "sum"
]


class ValidateExplanations(Config):
    """Which models are trained on which planted data."""

    planted: Planted = Planted()
    """The planted data."""
    models: tuple[Name, ...] = Field(
        ("prism", "prism-gate", "experts-strong", "experts", "published", "sum"), min_length=1
    )
    """The models that are compared. Repeat for more."""
    ids: bool = False
    """Let models learn a vector for each item's id too, which can hold any part."""
    epochs: int = Field(6, ge=1)
    """Epochs of each model."""
    width: int = Field(32, ge=1)
    """Width of the models."""
    seed: int = Field(0, ge=0)
    """Seed of the models."""
    deletion_users: int = Field(200, ge=1)
    """Number of users of each deletion test."""
    run: Path | None = None
    """A finished run on other data, for which the deletion test is made too."""
