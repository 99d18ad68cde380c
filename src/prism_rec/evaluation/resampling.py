"""Resampled means of per-user values: users drawn with replacement, or signs of differences flipped."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

_NUMBERS_AT_ONCE = 2**20  # 8 MB


def bootstrap_means(values: Float64[np.ndarray, "Q"], resamples: int, seed: int) -> Float64[np.ndarray, "R"]:
    """Return the means of R samples of Q users each, drawn with replacement.

    Args:
        values: one finite value per user, at least one.
        resamples: R.
        seed: equal seeds give equal means.
    """
    random = np.random.default_rng(seed)
    distinct, counts = np.unique(values, return_counts=True)

    def draw_users(rows: int) -> Float64[np.ndarray, "rows"]:
        return np.asarray(values[random.integers(len(values), size=(rows, len(values)))].mean(axis=1))

    def draw_counts(rows: int) -> Float64[np.ndarray, "rows"]:
        drawn = random.multinomial(len(values), counts / len(values), size=rows)
        return np.asarray(drawn @ distinct / len(values))

    # Users with equal values are interchangeable: only the number of times that each value is drawn matters, and these
    # counts are multinomial. Metrics of ranks have few values (51 at a cutoff of 50). Drawing a count costs about as
    # much as drawing 50 users, so with many values the users themselves are drawn.
    if len(distinct) * 50 < len(values):
        return _in_chunks(draw_counts, resamples, len(distinct))
    return _in_chunks(draw_users, resamples, len(values))


def sign_flip_means(
    differences: Float64[np.ndarray, "Q"], permutations: int, seed: int
) -> Float64[np.ndarray, "R"]:
    """Return the mean difference under R random assignments of a sign to each user's difference.

    Args:
        differences: one finite difference per user, at least one.
        permutations: R.
        seed: equal seeds give equal means.
    """
    random = np.random.default_rng(seed)
    flipped = differences[differences != 0]  # most users are missed by both models; no sign changes a zero

    def draw(rows: int) -> Float64[np.ndarray, "rows"]:
        bits = np.unpackbits(random.integers(256, size=(rows, len(flipped) // 8 + 1), dtype=np.uint8), axis=1)
        kept = np.einsum("rq,q->r", bits[:, : len(flipped)], flipped)  # unlike @, converts the bits in pieces
        return np.asarray((2 * kept - flipped.sum()) / len(differences))

    return _in_chunks(draw, permutations, len(flipped))


def _in_chunks(
    draw: Callable[[int], Float64[np.ndarray, "rows"]], total: int, width: int
) -> Float64[np.ndarray, "total"]:
    """Join draws of a few rows each, so that `total` rows of `width` numbers are never in memory at once."""
    rows = max(1, _NUMBERS_AT_ONCE // max(1, width))
    return np.concatenate([draw(min(rows, total - start)) for start in range(0, total, rows)])
