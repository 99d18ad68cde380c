"""Outcomes of sources -> one row per item, and counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.features.images import PICTURES
from prism_rec.features.images.outcome import SourceOutcome

_SCHEMA = {
    "item_id": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "file": pl.String,
    "sha256": pl.String,
    "stored_sha256": pl.String,
    "bytes": pl.Int64,
    "width": pl.Int64,
    "height": pl.Int64,
    "url": pl.String,
    "etag": pl.String,
    "attempts": pl.Int64,
}
_BEST_FIRST = ("ok", "retry", "failed")


def tabulate(items: pl.DataFrame, outcomes: Mapping[str, SourceOutcome]) -> pl.DataFrame:
    """Return the rows of pictures.parquet, in the order of `items`.

    The row of an item is about its first source that gave a picture; else about its first temporary failure; else
    about its first source.

    Args:
        items: `item_id`, `sources`.
        outcomes: the latest outcome by source; a source that is missing here was not tried.
    """
    rows = [_row(item_id, sources, outcomes) for item_id, sources in items.iter_rows()]
    return pl.DataFrame(rows, schema=_SCHEMA)


def summarise(folder: Path) -> pl.DataFrame:
    """Return how many items ended how: `status`, `reason`, `items`; most frequent first within a status."""
    return (
        pl.read_parquet(folder / PICTURES, columns=["status", "reason"], glob=False)
        .group_by("status", "reason")
        .agg(items=pl.len())
        .sort(
            pl.col("status").cast(pl.Enum([*_BEST_FIRST, "none"])), -pl.col("items").cast(pl.Int64), "reason"
        )
    )


def _row(item_id: str, sources: Sequence[str], outcomes: Mapping[str, SourceOutcome]) -> dict[str, Any]:
    if not sources:
        return {"item_id": item_id, "status": "none", "reason": "no-source", "attempts": 0}
    tried = [
        outcomes.get(source) or SourceOutcome(source, "retry", 0, reason="not-tried") for source in sources
    ]
    best = min(tried, key=lambda outcome: _BEST_FIRST.index(outcome.status))
    row = {
        "item_id": item_id,
        "status": best.status,
        "reason": best.reason,
        "url": best.source,
        "etag": best.etag,
    }
    if (picture := best.picture) is not None:
        row |= {
            name: getattr(picture, name)
            for name in ("file", "sha256", "stored_sha256", "bytes", "width", "height")
        }
    return {**row, "attempts": best.attempts}
