"""What an engine gives back, piece by piece."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prism_rec.features.encoders.encoder import Encoded, Encoder


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the given contents, encoded.

    Attributes:
        rows: which of the given contents these are, in the order of the vectors.
        encoded: their vectors.
        failed: contents that were tried and cannot be encoded, and why.
    """

    rows: list[int]
    encoded: Encoded
    failed: dict[int, str] = field(default_factory=dict)


Engine = Callable[[Encoder, Sequence[str | Path], int], Iterator[Part]]
"""Takes an encoder, the contents and how many of them make a part; every content ends in exactly one part."""
