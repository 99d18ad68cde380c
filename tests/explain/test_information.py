"""The decomposition of information on gates whose parts are known."""

import numpy as np
import pytest

from prism_rec.explain.information import decompose


def counts(gate) -> np.ndarray:
    """Return how often the output of a gate occurs with its two inputs, each 0 or 1."""
    table = np.zeros((4, 2, 2))
    for x in (0, 1):
        for y in (0, 1):
            table[gate(x, y), x, y] += 1
    return table


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (lambda x, y: x ^ y, (0, 0, 0, 1)),
        (lambda x, y: x & y, (0, 0, 0.311278, 0.5)),
        (lambda x, y: x, (1, 0, 0, 0)),
        (lambda x, y: y, (0, 1, 0, 0)),
        (lambda x, y: 2 * x + y, (1, 1, 0, 0)),
        (lambda x, y: 0, (0, 0, 0, 0)),
    ],
    ids=["xor", "and", "first", "second", "copy", "constant"],
)
def test_gates(gate, expected) -> None:
    found = decompose(counts(gate))
    assert (found.first, found.second, found.redundancy, found.synergy) == pytest.approx(expected, abs=1e-3)


def test_equal_signals_are_redundant() -> None:
    table = np.zeros((2, 2, 2))
    table[0, 0, 0] = table[1, 1, 1] = 5
    found = decompose(table)
    assert (found.first, found.second, found.redundancy, found.synergy) == pytest.approx(
        (0, 0, 1, 0), abs=1e-6
    )


def test_the_parts_add_up() -> None:
    table = np.random.default_rng(0).integers(1, 50, size=(3, 4, 5)).astype(float)
    found, joint = decompose(table), table / table.sum()
    apart = joint.sum((1, 2), keepdims=True) * joint.sum(0, keepdims=True)
    whole = float((joint * np.log2(joint / apart)).sum())
    parts = (found.first, found.second, found.redundancy, found.synergy)
    assert sum(parts) == pytest.approx(whole)
    assert min(parts) > -1e-6
