"""A dataset in numbers."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.card.leakage import measure_leakage
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
    """Return counts, history lengths, times, split, leakage, modalities and dropped events, as JSON values.

    `density`: share of user-item pairs that are interactions; a repeated pair counts each time. `cold_items`: number
    of items without a training event. `described`: for each column of the items, such as `title`, the share of items
    with a value. `repeated_targets`: for each part, the share of targets that the user had before. `features`: the
    vectors per modality. The dates are given only if times are absolute.
    """
    counts = dataset.counts()
    lengths = dataset.histories.lengths
    return {
        **counts,
        "density": counts["interactions"] / (counts["users"] * counts["items"]),
        "history_length": {"mean": float(lengths.mean())}
        | {name: float(np.quantile(lengths, q)) for name, q in _QUANTILES.items()},
        "time": {"kind": dataset.time} | _dates(dataset),
        "split": {"kind": dataset.rule.kind, **dataset.split.counts(), "cold_items": _count_cold(dataset)},
        "repeated_targets": {part: dataset.queries(part).repeated_share for part in ("validation", "test")},
        "leakage": measure_leakage(dataset),
        "described": _measure_description(dataset.items.drop("row", "item_id")),
        "features": {
            name: {"width": table.width, "items": int(table.present.sum()), "coverage": table.coverage}
            for name, table in dataset.features.items()
        },
        "dropped": dataset.dropped,
        "notes": list(dataset.notes),
    }


def in_words(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of `describe` as labels and values for people."""
    lengths, time, split = facts["history_length"], facts["time"], facts["split"]
    lines = [
        ("users", f"{facts['users']:,}"),
        ("items", f"{facts['items']:,} ({split['cold_items']:,} without a training event)"),
        ("interactions", f"{facts['interactions']:,} (density {facts['density']:.3%})"),
        ("items per history", ", ".join(f"{name} {value:.4g}" for name, value in lengths.items())),
        ("time", time["kind"] + (f", {time['first']} to {time['last']}" if "first" in time else "")),
        (
            f"split {split['kind']}",
            f"{split['training_interactions']:,} training interactions, "
            f"{split['validation_queries']:,} validation and {split['test_queries']:,} test queries",
        ),
    ]
    repeated = ", ".join(
        f"{share:.2%} of {part} targets" for part, share in facts["repeated_targets"].items()
    )
    lines.append(("repeated targets", f"{repeated} are in the user's history"))
    if facts["described"]:
        shares = (f"{name} {share:.1%}" for name, share in facts["described"].items())
        lines.append(("items described", ", ".join(shares)))
    lines += [
        (f"modality {name}", f"width {table['width']}, {table['items']:,} items ({table['coverage']:.1%})")
        for name, table in facts["features"].items()
    ]
    lines += _leakage_in_words(facts["leakage"], time["kind"])
    dropped = [(reason.replace("_", " "), count) for reason, count in facts["dropped"].items() if count]
    lines += [(f"dropped {reason}", f"{count:,}") for reason, count in dropped]
    return lines + [("note", note) for note in facts["notes"]]


def _leakage_in_words(leakage: dict[str, Any], time: str) -> list[tuple[str, str]]:
    lines = [("cold test targets", f"{leakage['cold_test_targets']:.2%} of test queries")]
    if "simultaneous" in leakage:
        share = leakage["simultaneous"]
        lines.append(("simultaneous", f"{share:.2%} of interactions, in the order of the file"))
    if "later_training" in leakage:
        later = leakage["later_training"]
        text = (
            f"of all training events, {later['mean']:.1%} on average (median {later['median']:.1%}) are later "
            f"than a test event; {later['any']:.1%} of test events have later ones"
        )
        return [*lines, ("leakage", text)]
    known = "an order" if time == "order" else "times since each user's first event"
    return [*lines, ("leakage", f"not known: the data has only {known}")]


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
    except (ValueError, OverflowError):  # for instance milliseconds: the unit is the user's choice
        return f"{seconds:.0f}"


def _measure_description(columns: pl.DataFrame) -> dict[str, float]:
    """Return the share of rows in which each column is neither null nor an empty text or list."""
    if not columns.width:
        return {}
    return columns.select(
        _is_filled(name, kind).fill_null(False).mean() for name, kind in columns.schema.items()
    ).row(0, named=True)


def _is_filled(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind == pl.String:
        return column != ""
    return column.list.len() > 0 if isinstance(kind, pl.List) else column.is_not_null()


def _count_cold(dataset: Dataset) -> int:
    trained = dataset.training().counts(dataset.number_of_items)
    return int((trained[1:] == 0).sum())
