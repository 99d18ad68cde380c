"""The interface of encoders, and the form of their vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from prism_rec.config import Config

if TYPE_CHECKING:
    from PIL.Image import Image

Modality = Literal["text", "image"]
NEGLIGIBLE = 1e-4
"""A vector shorter than this says nothing."""


class Placement(Config):
    """Where a model runs and how much goes through it at a time. Vectors depend on it only by rounding."""

    device: str = "auto"
    """Device that computes: auto, cpu, cuda or cuda:N; auto is CUDA if there is one."""
    batch_size: int | None = Field(None, ge=1)
    """Pictures, or texts of full length, that go through a model at a time. Default: what suits the device."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Vectors of a batch, in the order of the batch.

    Attributes:
        vectors: float32 [B, D], rows of length 1; a zero row means that nothing was found to encode.
        truncated: bool [B], true if the encoder read only the beginning of a text; None if no text was cut.
        token_limit: the number of tokens beyond which a text is cut; None if texts are never cut.
    """

    vectors: np.ndarray
    truncated: np.ndarray | None = None
    token_limit: int | None = None


class Encoder(ABC):
    """Turns each text, or each picture, into a vector.

    Making an encoder is cheap: a model is loaded when `encode` is first called.

    Attributes:
        encodes: texts or pictures.
        fingerprint: two encoders with equal fingerprints give equal vectors; the key of the cache.
        portable: whether the vector of a content depends on that content only. If it is false, vectors of new
            items do not fit vectors that were made before, because `fit` learns from all contents together.
        learned_from: the contents that `fit` learned from; `fit` makes an equal encoder of them. None if it learns
            nothing.
    """

    encodes: Modality
    fingerprint: str
    portable: ClassVar[bool] = True
    learned_from: Sequence[str] | None = None

    def fit(self, contents: Sequence[str | Path]) -> "Encoder":
        """Return the encoder for a collection of contents; most encoders learn nothing and return themselves."""
        return self

    @abstractmethod
    def encode(self, batch: Sequence[Any]) -> Encoded:
        """Encode texts (strings), or pictures as `PictureEncoder.prepare` returned them; at least one."""


class PictureEncoder(Encoder):
    """An encoder of pictures. The part before the model runs in worker processes.

    Attributes:
        prepare: turns an RGB picture into the arrays that `encode` takes, by name. It can be sent to another
            process and holds no model.
    """

    prepare: Callable[["Image"], dict[str, np.ndarray]]
    encodes: Modality = "image"

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """How many pictures `encode` takes best at a time."""


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the rows [N, D] at length 1 in float32; a row shorter than 1e-4 becomes zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = vectors * (norms >= NEGLIGIBLE)
    unit: np.ndarray = (kept / np.maximum(norms, NEGLIGIBLE)).astype(np.float32)
    return unit
