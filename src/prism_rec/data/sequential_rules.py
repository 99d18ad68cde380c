"""What is taken after what: sequential rules (Ludewig and Jannach, UMUAI 2018)."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from prism_rec.data.histories import Histories


def item_scales(histories: Histories, number_of_items: int) -> npt.NDArray[np.float64]:
    """Return 1 / sqrt(events) of each catalogue row, [N + 1]; 1 for a row without events."""
    return 1 / np.sqrt(np.maximum(1, histories.counts(number_of_items)))


def rules_of(
    histories: Histories, number_of_items: int, window: int, of: npt.NDArray[np.bool_] | None = None
) -> sp.csr_array:
    """Return the value of every rule [N + 1, N + 1] that has an event; an item has no rule to itself.

        rule(i, j) = sum over events of i that j follows after d items of 1 / d,   d = 1..window
                     divided by the square root of (events of i times events of j)

    Args:
        histories: training histories.
        number_of_items: N.
        window: how far behind an item others count as its followers.
        of: bool [N + 1], the items whose rules are counted; None: all.
    """
    scales = item_scales(histories, number_of_items)
    places = np.arange(len(histories.items)) if of is None else np.flatnonzero(of[histories.items])
    ends = histories.offsets[np.searchsorted(histories.offsets, places, "right")]
    total = sp.csr_array((number_of_items + 1, number_of_items + 1))
    for step in range(1, window + 1):
        inside = places[places + step < ends]
        before, after = histories.items[inside], histories.items[inside + step]
        other = before != after
        before, after = before[other], after[other]
        values = scales[before] * scales[after] / step
        total = total + sp.csr_array((values, (before, after)), shape=total.shape)
    return sp.csr_array(total)


def strongest(rules: sp.csr_array, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the columns [N, k] and values [N, k] of each row's largest numbers; equal ones in the order of columns.

    Rows with fewer numbers are filled up with column 0 and value 0.
    """
    rows = rules.shape[0]
    row = np.repeat(np.arange(rows), np.diff(rules.indptr))
    order = np.lexsort((rules.indices, -rules.data, row))
    place = np.arange(len(row)) - rules.indptr[row]
    kept = place < k
    near, values = np.zeros((rows, k), np.int32), np.zeros((rows, k), np.float32)
    near[row[kept], place[kept]] = rules.indices[order][kept]
    values[row[kept], place[kept]] = rules.data[order][kept]
    return near, values
