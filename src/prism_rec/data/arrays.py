"""Vectors as other libraries hold them -> one NumPy matrix: tensors of any kind, sparse matrices, lists of vectors."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from prism_rec.errors import DataError
from prism_rec.inputs import show

Array = npt.NDArray[Any]

_KINDS = "biufc"
"""NumPy's letters of numbers."""


def to_matrix(given: Any, where: str) -> Array:
    """Return vectors as a matrix, one row per item; the numbers and their type stay, if NumPy has the type.

    bfloat16 and float8 become float32. A gradient is left out. A masked number becomes NaN.

    Args:
        given: an array, tensor, sparse matrix, frame or list of vectors.
        where: the feature or file, for messages.

    Raises:
        DataError: no vectors, vectors of several widths, an empty or missing vector, or something else than numbers.
    """
    array = _array(given, where)
    if array is None or array.dtype.kind not in _KINDS:
        array = _stack(given, where)
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(f"{where} has the shape {array.shape}: not a matrix; give one row per item")
    if not len(array):
        raise DataError(f"{where} has no vectors; give at least one, or leave the feature out")
    return array


def to_vector(given: Any, where: str) -> Array:
    """Return one vector, of at least one number.

    Raises:
        DataError: see `to_matrix`.
    """
    array = None if given is None else _array(given, where)
    if array is None or array.ndim != 1 or not len(array) or array.dtype.kind not in _KINDS:
        raise DataError(f"{where}: not a vector but {show(given)}; give one number or more for each item")
    return array


def stack_vectors(vectors: Iterable[tuple[str, Any]], where: str) -> Array:
    """Return a matrix of single vectors, each with its name for messages.

    Raises:
        DataError: see `to_matrix`.
    """
    rows: list[Array] = []
    for name, vector in vectors:
        rows.append(to_vector(vector, f"{where}, {name}"))
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                f"{where}, {name}: {len(rows[-1])} numbers, and the first vector has {len(rows[0])}; "
                "give vectors of one width"
            )
    if not rows:
        raise DataError(f"{where} has no vectors; give at least one, or leave the feature out")
    return np.stack(rows)


def _stack(given: Any, where: str) -> Array:
    if isinstance(given, str | bytes | Mapping | Set) or not isinstance(given, Iterable):
        raise DataError(f"{where} is {show(given)}; give a matrix with one row per item")
    return stack_vectors(((f"row {row}", vector) for row, vector in enumerate(given, 1)), where)


def _array(given: Any, where: str) -> Array | None:
    """Return numbers of any library as an array; None if NumPy makes none of them."""
    if hasattr(given, "detach"):
        return _from_torch(given, where)
    if hasattr(given, "toarray"):  # SciPy's sparse matrices
        given = given.toarray()
    if isinstance(given, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(given), np.nan, given.data)
    if isinstance(given, Mapping | Set | str | bytes):
        return None
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError, OverflowError):  # of several widths, or of another device
        return None


def _from_torch(tensor: Any, where: str) -> Array:
    """Return a tensor's numbers; NumPy knows neither gradients nor sparse, quantised and short float tensors."""
    tensor = tensor.detach()
    if getattr(tensor, "is_nested", False):
        raise DataError(f"{where} is a nested tensor; give vectors of one width")
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    try:
        if str(tensor.layout) != "torch.strided":
            tensor = tensor.to_dense()
        if tensor.dtype.is_floating_point and str(tensor.dtype) not in ("torch.float16", "torch.float64"):
            tensor = tensor.float()
        return np.asarray(tensor.cpu().resolve_conj().resolve_neg().numpy())
    except (RuntimeError, TypeError, NotImplementedError, AttributeError):
        raise DataError(
            f"{where} is a tensor of {tensor.dtype} that has no numbers to read; give float32"
        ) from None
