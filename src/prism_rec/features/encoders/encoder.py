"""What every encoder offers, whatever is behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

Modality = Literal["text", "image"]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Vectors of a batch, in the order of the batch.

    Attributes:
        vectors: float32 [B, D], rows of length 1; a zero row says that nothing was found to encode.
        truncated: bool [B], true where the encoder read only the beginning of a text; None: nowhere.
        token_limit: the number of tokens beyond which a text is cut; None: it is never cut.
    """

    vectors: np.ndarray
    truncated: np.ndarray | None = None
    token_limit: int | None = None


class Encoder(Protocol):
    """Turns each text, or each picture, into a vector that depends on that content alone.

    Making one is cheap: models are loaded when `encode` is first called.

    Attributes:
        encodes: what it takes.
        fingerprint: two encoders with equal fingerprints give equal vectors; the key of the cache.
    """

    encodes: Modality
    fingerprint: str

    def encode(self, batch: Sequence[Any]) -> Encoded:
        """Encode texts (strings), or pictures as `prepare` returned them."""


class PictureEncoder(Encoder, Protocol):
    """An encoder of pictures: the part before the model runs in worker processes.

    Attributes:
        prepare: takes an RGB picture to the arrays that `encode` wants, by name; can be sent to another
            process, holds no model.
    """

    prepare: Callable[["Image"], dict[str, np.ndarray]]

    @property
    def batch_size(self) -> int:
        """How many pictures `encode` takes best at a time."""
