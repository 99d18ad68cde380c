"""What a dataset is like, in numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from prism_rec.data.dataset import Dataset

_QUANTILES = {
    "shortest": 0.0,
    "quarter": 0.25,
    "median": 0.5,
    "three quarters": 0.75,
    "nine tenths": 0.9,
    "longest": 1.0,
}


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return counts, history lengths, time, split, modalities and what was dropped, as JSON values.

    `density` is the share of user-item pairs that occur as interactions, repeated pairs counted each time;
    `cold_items` counts items without a training event; the dates exist where times are absolute.
    """
    counts = dataset.counts()
    lengths = dataset.histories.lengths
    return {
        **counts,
        "density": counts["interactions"] / (counts["users"] * counts["items"]),
        "history_length": {"mean": float(lengths.mean())}
        | {name: float(np.quantile(lengths, q)) for name, q in _QUANTILES.items()},
        "time": {"kind": dataset.time} | _dates(dataset),
        "split": {"name": dataset.rule.name, **dataset.split.counts(), "cold_items": _count_cold(dataset)},
        "features": {
            name: {"width": table.width, "items": int(table.present.sum()), "coverage": table.coverage}
            for name, table in dataset.features.items()
        },
        "dropped": dataset.dropped,
    }


def _dates(dataset: Dataset) -> dict[str, str]:
    if dataset.time != "absolute":
        return {}
    timestamps = dataset.interactions["timestamp"].to_numpy()
    return {
        "first": _date(float(timestamps.min())),
        "last": _date(float(timestamps.max())),
    }


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError):  # milliseconds, say: the unit is the user's
        return f"{seconds:.0f}"


def _count_cold(dataset: Dataset) -> int:
    trained = np.bincount(dataset.training().items, minlength=dataset.number_of_items + 1)
    return int((trained[1:] == 0).sum())
