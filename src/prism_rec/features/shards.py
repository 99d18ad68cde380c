"""Vectors on disk, by the hash of the text or picture: the output of embedding and its cache in one.

A shard is one safetensors file: `keys` uint8 [n, 32], `vectors` float32 [n, D], `present` and `truncated`
bool [n]. Its metadata has the encoder's fingerprint. A shard gets its name only when it is complete, so that a
killed run loses at most the shard that it was writing, and the next run continues from the complete shards.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from prism_rec.data.embedding_folder import STAGE
from prism_rec.features.encoders.encoder import Encoded
from prism_rec.files import hash_file, replacing
from prism_rec.folders import begin_folder
from prism_rec.tensor_files import Stored, write_tensors

_PATTERN = "vectors-*.safetensors"

_DIGITS = 16
"""How much of the hash of a shard is in its name."""


@dataclass(frozen=True)
class Place:
    """Where one vector is: a row of a shard, and whether the content is present and was cut."""

    file: str
    row: int
    present: bool
    truncated: bool


class Shards:
    """The shards of one encoder in a folder; damaged shards and those of other encoders are ignored.

    Attributes:
        folder: where the shards are.
        places: where the vector of each content is, by the hash of the content.
        token_limit: the number of tokens at which texts were cut; None if there is no limit.
        width: D, the length of a vector; 0 if there is none yet.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.places: dict[str, Place] = {}
        self.token_limit: int | None = None
        self.width = 0
        self.folder = folder
        self._fingerprint = fingerprint
        for path in sorted(folder.glob(_PATTERN)):
            self._read(path)

    def write(self, keys: Sequence[str], encoded: Encoded) -> None:
        """Add one shard: the vectors of the contents with these hashes."""
        truncated = np.zeros(len(keys), bool) if encoded.truncated is None else encoded.truncated
        tensors = {
            "keys": np.frombuffer(bytes.fromhex("".join(keys)), np.uint8).reshape(-1, 32),
            "vectors": np.ascontiguousarray(encoded.vectors, np.float32),
            "present": np.any(encoded.vectors, axis=1),
            "truncated": truncated,
        }
        limit = "" if encoded.token_limit is None else str(encoded.token_limit)
        stored = {name: Stored.of(array) for name, array in tensors.items()}
        write_tensors(file := io.BytesIO(), stored, {"encoder": self._fingerprint, "token_limit": limit})
        content = file.getvalue()
        path = self.folder / f"vectors-{hashlib.sha256(content).hexdigest()[:_DIGITS]}.safetensors"
        begin_folder(self.folder, STAGE, [path.name])
        with replacing(path) as partial:
            partial.write_bytes(content)
        self._read(path)

    def _read(self, path: Path) -> None:
        if path.stem != f"vectors-{hash_file(path)[:_DIGITS]}":  # changed after it was written
            return
        try:
            with safe_open(path, framework="numpy") as shard:
                metadata = shard.metadata() or {}
                if metadata.get("encoder") != self._fingerprint:
                    return
                keys, *facts = (shard.get_tensor(name) for name in ("keys", "present", "truncated"))
                self.width = shard.get_slice("vectors").get_shape()[1]
        except (SafetensorError, OSError):
            return
        if metadata["token_limit"]:
            self.token_limit = int(metadata["token_limit"])
        for row, (key, present, truncated) in enumerate(zip(keys, *facts, strict=True)):
            self.places[key.tobytes().hex()] = Place(path.name, row, bool(present), bool(truncated))
