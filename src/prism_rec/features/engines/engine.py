"""The interface of engines: an engine runs an encoder over many contents and returns the vectors part by part."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prism_rec.features.encoders.encoder import Encoded, Encoder, PictureEncoder, Placement


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the given contents, encoded.

    Attributes:
        rows: which of the given contents these are, in the order of the vectors.
        encoded: their vectors.
        failed: contents that cannot be encoded, with the reason.
    """

    rows: list[int]
    encoded: Encoded
    failed: dict[int, str] = field(default_factory=dict)


class Engine(Placement):
    """The base of an engine's settings: how vectors are made. No vector depends on them, except by rounding.

    Subclasses add `kind`.
    """

    def check(self) -> None:  # noqa: B027 - most engines need nothing
        """Refuse an engine that cannot run here, before any work is done.

        Raises:
            SettingsError: something that the engine needs is missing.
        """

    @abstractmethod
    def run(self, encoder: Encoder, contents: Sequence[str | Path], part_size: int) -> Iterator[Part]:
        """Encode texts or picture files; every content ends in exactly one part.

        Args:
            encoder: built with this engine as its placement, and fitted.
            contents: texts, or paths of pictures; at least one.
            part_size: about how many contents make a part.
        """


def warm_up(encoder: PictureEncoder) -> None:
    """Encode a blank picture, so that errors of a model appear here before any work, and not in a worker."""
    from PIL import Image

    encoder.encode([encoder.prepare(Image.new("RGB", (64, 64)))])
