"""What a recipe for `build` may say."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.vectors import check_modality_name
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.options import EmbedOptions
from prism_rec.stages.prepare import Prepare


class Recipe(Config):
    """The whole chain.

    Attributes:
        out: folder for all that is made.
        prepare: the log.
        images: the pictures, where there are any; `source_column` is the one that prepare writes.
        embed: the modalities by name; without any the dataset is the log alone.
    """

    out: Path
    prepare: Prepare
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
