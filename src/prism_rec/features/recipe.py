"""What a recipe for `build` may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.clean import Cleaning
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.vectors import check_modality_name
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.options import EmbedOptions


class PrepareStep(Config):
    """How the log is read and cut; see `prism_rec.data.prepare.prepare`.

    Attributes:
        source: the format's name.
        interactions: the log; paths are taken from where the command runs.
        items: what describes the items.
        photos: Yelp's list of photos.
        columns: names of columns by role.
        time: what the times mean.
        cleaning: what is left out.
        split: the rule's name, or its name and parameters.
    """

    source: str
    interactions: Path
    items: Path | None = None
    photos: Path | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    time: TimeKind | None = None
    cleaning: Cleaning = Cleaning()
    split: str | dict[str, Any] = "leave-one-out"


class Recipe(Config):
    """The whole chain.

    Attributes:
        out: folder for all that is made.
        prepare: the log.
        images: the pictures, where there are any; `source_column` is the one that prepare writes.
        embed: the modalities by name; without any the dataset is the log alone.
    """

    out: Path
    prepare: PrepareStep
    images: GatherOptions | None = None
    embed: dict[str, EmbedOptions] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Recipe:
        for name, step in self.embed.items():
            check_modality_name(name)
            if not step.fields and self.images is None:
                raise ValueError(
                    f"embed.{name} has no fields, so it encodes pictures, and there is no section images"
                )
        return self
