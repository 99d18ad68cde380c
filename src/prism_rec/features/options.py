"""The settings of encoding one modality: which encoder, and how it is run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from prism_rec.config import Config
from prism_rec.features.encoders.encoder import Encoder, Modality
from prism_rec.features.encoders.find import CLIP, find_encoder
from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.encoders.hugging_face_model import Precision
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.part import Engine

_HOW_IT_RUNS = {"batch_size", "device", "engine", "workers"}


class EmbedOptions(Config):
    """What of the items is encoded, which encoder makes the vectors, and how it is run.

    Attributes:
        fields: columns that make up the text, in this order; none: the pictures are encoded.
        encoder: a Hugging Face model's name or folder, `hashed-text` or `picture-descriptors`.
        revision: branch, tag or commit of a model on the hub.
        max_tokens: where texts are cut; None: where the model must.
        precision: number format of the model; `auto` is float16 on a GPU and float32 elsewhere.
        batch_size: pictures, or texts of full length, that go through a model at a time; None: what suits the
            device.
        device: where a model runs: `auto`, `cpu`, `cuda`, `cuda:1`, ...
        engine: `local`, this machine; `ray`, a Ray cluster, or Ray on this machine.
        workers: `local`: processes that decode pictures (None: what suits the machine). `ray`: copies of the
            encoder (None: 2).
    """

    fields: tuple[str, ...] = ()
    encoder: str = CLIP
    revision: str = "main"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    precision: Precision = "auto"
    batch_size: Annotated[int, Field(ge=1)] | None = None
    device: str = "auto"
    engine: Literal["local", "ray"] = "local"
    workers: Annotated[int, Field(ge=0)] | None = None

    @property
    def modality(self) -> Modality:
        """What is encoded."""
        return "text" if self.fields else "image"

    def find_encoder(self) -> Encoder | HashedTextEncoder:
        """Return the encoder; nothing large is loaded yet.

        Raises:
            InputError: see `prism_rec.features.encoders.find.find_encoder`.
        """
        return find_encoder(
            self.encoder,
            self.modality,
            revision=self.revision,
            max_tokens=self.max_tokens,
            batch_size=self.batch_size,
            precision=self.precision,
            device=self.device,
        )

    def make_engine(self) -> Engine:
        """Return what runs the encoder; Ray itself is started when it is first used.

        Raises:
            InputError: `ray` with no workers.
        """
        if self.engine == "local":
            return LocalEngine(self.workers)
        from prism_rec.features.engines.ray import RayEngine

        return RayEngine() if self.workers is None else RayEngine(self.workers)

    def what_is_made(self) -> dict[str, Any]:
        """Return the settings that vectors depend on, as JSON values; how they were made is of no account."""
        return self.model_dump(mode="json", exclude=_HOW_IT_RUNS)
