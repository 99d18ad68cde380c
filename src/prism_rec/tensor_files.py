"""Files in the safetensors format, written in place.

The writer of the library `safetensors` makes a file of a random name first, which stays if the process is killed.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

_TYPES = {
    "bool": "BOOL",
    **{f"{kind}{bits}": f"{kind[0].upper()}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    "bfloat16": "BF16",
}
_ALIGNED = 8


class Stored(NamedTuple):
    """One tensor as a file has it."""

    dtype: str
    """As NumPy and PyTorch call it, such as `float32`."""
    shape: tuple[int, ...]
    """Its axes."""
    content: np.ndarray
    """uint8 [bytes]: its values."""

    @classmethod
    def of(cls, array: np.ndarray) -> "Stored":
        """Return an array as a file has it."""
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return cls(str(array.dtype), array.shape, content)


def write_tensors(path: Path, tensors: Mapping[str, Stored], facts: Mapping[str, str]) -> None:
    """Write tensors and texts; what `path` had is lost. No copy of the tensors is made.

    Args:
        path: the file.
        tensors: by name; those of the widest types come first in the file, so that all are aligned.
        facts: texts by name.
    """
    ordered = sorted(tensors.items(), key=lambda one: (-_width(one[1]), one[0]))
    header: dict[str, object] = {"__metadata__": dict(sorted(facts.items()))}
    end = 0
    for name, (dtype, shape, content) in ordered:
        start, end = end, end + len(content)
        header[name] = {"dtype": _TYPES[dtype], "shape": shape, "data_offsets": (start, end)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, tensor in ordered:
            file.write(tensor.content.data)


def _width(tensor: Stored) -> int:
    return len(tensor.content) // max(1, math.prod(tensor.shape))
