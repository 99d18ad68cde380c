"""What a recipe for `build` may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.clean import Cleaning
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.vectors import check_modality_name
from prism_rec.features.images.options import GatherOptions


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


class ImagesStep(GatherOptions):
    """How pictures are gathered; the column of addresses or names is the one that prepare writes."""

    source_column: str = "images"


class EmbedStep(Config):
    """How one modality is encoded.

    Attributes:
        encoder: a Hugging Face model's name or folder, `hashed-text` or `picture-descriptors`.
        fields: columns that make up the text, in this order; none: the pictures are encoded.
        revision: branch, tag or commit of the model.
        max_tokens: where texts are cut; None: where the model must.
        precision: number format of the model.
        workers: processes that decode pictures; None: one less than there are cores.
    """

    encoder: str = "openai/clip-vit-base-patch32"
    fields: tuple[str, ...] = ()
    revision: str = "main"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    precision: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    workers: Annotated[int, Field(ge=0)] | None = None


class Recipe(Config):
    """The whole chain.

    Attributes:
        out: folder for all that is made.
        prepare: the log.
        images: the pictures, where there are any.
        embed: the modalities by name; without any the dataset is the log alone.
    """

    out: Path
    prepare: PrepareStep
    images: ImagesStep | None = None
    embed: dict[str, EmbedStep] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Recipe:
        for name, step in self.embed.items():
            check_modality_name(name)
            if not step.fields and self.images is None:
                raise ValueError(
                    f"embed.{name} has no fields, so it encodes pictures, and there is no section images"
                )
        return self
