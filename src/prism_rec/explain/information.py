"""How much two signals tell of a third, in parts: unique, redundant, synergetic; from counts, without a model."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

STEPS, INNER = 2_000, 20
CLOSE = 1e-9


@dataclass(frozen=True)
class Decomposition:
    """The parts of the information that two signals have of a target, in bits; their sum is all of it."""

    first: float
    """What only the first signal tells."""
    second: float
    """What only the second signal tells."""
    redundancy: float
    """What either of them tells."""
    synergy: float
    """What only both together tell."""


def decompose(counts_TXX: Float64[np.ndarray, "T _ _"]) -> Decomposition:
    """Return the partial information decomposition of a table of counts (or probabilities), by its frequencies.

    What is not synergy is the least information that a distribution can have in which each signal and the target
    occur together as often as here. It is found by alternating projections.

    Args:
        counts_TXX: how often each target value occurs with each pair of values of the two signals.

    Source: Bertschinger, Rauh, Olbrich, Jost and Ay, "Quantifying unique information", Entropy 2014.
    """
    true_TXX = counts_TXX / counts_TXX.sum()
    least_TXX = _least_informative(true_TXX)
    together, without_synergy = _of_pair(true_TXX), _of_pair(least_TXX)
    first, second = (_of_pair(true_TXX.sum(axis, keepdims=True)) for axis in (2, 1))
    return Decomposition(
        first=without_synergy - second,
        second=without_synergy - first,
        redundancy=first + second - without_synergy,
        synergy=together - without_synergy,
    )


def _least_informative(true_TXX: Float64[np.ndarray, "T _ _"]) -> Float64[np.ndarray, "T _ _"]:
    """Minimise I(T; X, Y) over all distributions with the same pairs (T, X) and (T, Y).

    It is the least divergence of such a distribution from one in which T is independent of (X, Y). Each is found in
    turn, given the other.
    """
    with_first, with_second = true_TXX.sum(2, keepdims=True), true_TXX.sum(1, keepdims=True)
    found = with_first * with_second / np.maximum(true_TXX.sum((1, 2), keepdims=True), 1e-300)
    for _ in range(STEPS):
        before = found
        found = np.where(found > 0, found.sum(0), 0.0)
        for _ in range(INNER):
            found = found * _ratio(with_first, found.sum(2, keepdims=True))
            found = found * _ratio(with_second, found.sum(1, keepdims=True))
            if np.abs(found.sum(2, keepdims=True) - with_first).max() < CLOSE:
                break
        if np.abs(found - before).max() < CLOSE:
            break
    return found


def _ratio(
    wanted: Float64[np.ndarray, "..."], found: Float64[np.ndarray, "..."]
) -> Float64[np.ndarray, "..."]:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def _of_pair(joint_TXX: Float64[np.ndarray, "T _ _"]) -> float:
    """Return I(T; X, Y) in bits."""
    apart = joint_TXX.sum((1, 2), keepdims=True) * joint_TXX.sum(0, keepdims=True)
    seen = joint_TXX > 1e-15  # less adds nothing, and its products may be 0
    return float((joint_TXX[seen] * np.log2(joint_TXX[seen] / apart[seen])).sum())
