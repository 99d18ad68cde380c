"""An encoder as a folder keeps it, so that contents that come later get vectors of the same kind."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from prism_rec.config import Config
from prism_rec.features.contents import Content
from prism_rec.features.encoders.encoder import Encoder, Modality, Placement
from prism_rec.features.encoders.settings import EncoderConfig, Words
from prism_rec.features.engines.local import LocalEngine


class StoredEncoder(Config):
    """Everything that is needed to encode new contents like those that were encoded before."""

    modality: Modality
    """Texts or pictures."""
    encoder: EncoderConfig
    """The settings of the encoder."""
    fields: tuple[str, ...] = ()
    """Columns of the items that a text is made of."""
    learned_from: tuple[str, ...] | None = None
    """The texts that the encoder learned from; None if it learns nothing."""
    fingerprint: str
    """Vectors of encoders with equal fingerprints fit together."""

    def build(self, placement: Placement = Placement()) -> Encoder:
        """Return the encoder, with everything that it had learned.

        Raises:
            InputError: the encoder cannot be made here, for instance because its model is not available.
        """
        assert not isinstance(self.encoder, Words)  # a dataset finds the words of new items itself
        encoder = self.encoder.build(self.modality, placement)
        return encoder if self.learned_from is None else encoder.fit(self.learned_from)


def encode(encoder: Encoder, entries: Iterable[Content]) -> tuple[np.ndarray, pl.Series, dict[str, str]]:
    """Encode some contents in this process.

    Args:
        encoder: gives the vectors.
        entries: the contents; those without a value are skipped.

    Returns:
        float32 [R, D] and the R ids of the items that were encoded; and why other contents were not, by id.
    """
    given = [entry for entry in entries if entry.value is not None]
    values: list[str | Path] = [entry.value for entry in given if entry.value is not None]
    rows: list[int] = []
    vectors: list[np.ndarray] = []
    failed: dict[str, str] = {}
    for part in LocalEngine(workers=0).run(encoder, values, part_size=2_048) if values else ():
        rows += part.rows
        vectors += [part.encoded.vectors] if part.rows else []
        failed |= {given[row].item_id: reason for row, reason in part.failed.items()}
    ids = pl.Series("item_id", [given[row].item_id for row in rows], dtype=pl.String)
    return np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32), ids, failed
