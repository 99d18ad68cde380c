"""Unit length for vectors, with zero kept as the sign of absence."""

import numpy as np

NEGLIGIBLE = 1e-4


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the rows [N, D] at length 1 in float32; one shorter than 1e-4 tells nothing: zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = vectors * (norms >= NEGLIGIBLE)
    unit: np.ndarray = (kept / np.maximum(norms, NEGLIGIBLE)).astype(np.float32)
    return unit
