"""A matrix from a file."""

from pathlib import Path

import numpy as np
import safetensors

from prism_rec.data.arrays import to_matrix
from prism_rec.data.feature_table import Matrix
from prism_rec.data.reading import first_line
from prism_rec.errors import DataError

_ERRORS = (OSError, EOFError, ValueError, TypeError, KeyError, RecursionError, safetensors.SafetensorError)
"""What the libraries raise; a header of NumPy is a Python expression, which may be too deep."""


def read_matrix(path: Path) -> Matrix:
    """Return the matrix of a `.npy` or `.safetensors` file; nothing else of the file is read.

    The numbers keep their type; only bfloat16, which NumPy does not have, becomes float32.

    Raises:
        DataError: missing, cut short, of another format, or without a matrix.
    """
    try:
        if path.suffix == ".npy":
            return to_matrix(_read_npy(path), str(path))
        if path.suffix == ".safetensors":
            return to_matrix(_read_safetensors(path), str(path))
    except DataError:
        raise
    except _ERRORS as error:
        raise DataError(f"{path} cannot be read ({first_line(error)}); check that it is complete") from None
    raise DataError(f"{path}: unknown ending; give a .npy, .safetensors or .parquet file")


def _read_npy(path: Path) -> Matrix:
    try:
        # Mapped first: a header that promises more numbers than the file has would be given the memory for them.
        return np.array(np.lib.format.open_memmap(path, mode="r"))
    except ValueError as error:
        if "objects in dtype" not in str(error):
            raise
        raise DataError(
            f"{path} has Python objects; save a matrix of numbers, and its ids in a file"
        ) from None


def _read_safetensors(path: Path) -> Matrix:
    with safetensors.safe_open(path, framework="numpy") as file:
        names = list(file.keys())
        if "vectors" not in names:
            raise DataError(f"{path} has {', '.join(names) or 'nothing'}; name its matrix 'vectors'")
        kind, shape = file.get_slice("vectors").get_dtype(), file.get_slice("vectors").get_shape()
        if kind == "BF16":
            tensors = dict(safetensors.deserialize(path.read_bytes()))  # type: ignore[no-untyped-call]
            halves = tensors["vectors"]["data"]
            return (np.frombuffer(halves, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
        if kind.startswith(("F8", "F6", "F4")):
            raise DataError(f"{path} has {kind} numbers; save them as float32")
        return np.asarray(file.get_tensor("vectors"))
