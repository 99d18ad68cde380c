"""A dataset in numbers."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.card.leakage import measure_leakage
from prism_rec.data.card.next_item import measure_next_items, measure_rules, say_next_item, say_rules
from prism_rec.data.dataset import Dataset
from prism_rec.data.queries import say_few
from prism_rec.data.times import IN_WORDS

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
    vectors per modality; `next_item`: see `measure_next_items`. `rules`: see `measure_rules`. The dates are given only
    if times are absolute. `balance`: see there. `left_out`: how many dropped users and items are known by id.
    """
    counts, next_items = dataset.counts(), measure_next_items(dataset)
    lengths = dataset.histories.lengths
    return {
        **counts,
        "density": counts["interactions"] / (counts["users"] * counts["items"]),
        "history_length": {"mean": float(lengths.mean())}
        | {name: float(np.quantile(lengths, q)) for name, q in _QUANTILES.items()},
        "time": {"kind": dataset.time, "unit": dataset.unit, "ties": dataset.cleaning.ties} | _dates(dataset),
        "split": {"kind": dataset.rule.kind, **dataset.split.counts(), "cold_items": _count_cold(dataset)},
        "repeated_targets": {part: dataset.queries(part).repeated_share for part in ("validation", "test")},
        "leakage": measure_leakage(dataset),
        "described": _measure_description(dataset.items.drop("row", "item_id")),
        "features": {
            name: {
                "width": table.width,
                "items": int(table.present.sum()),
                "coverage": table.coverage,
                "next_item": next_items[name],
            }
            for name, table in dataset.features.items()
        },
        "rules": measure_rules(dataset),
        "balance": balance(dataset),
        "dropped": dataset.dropped,
        "left_out": {f"{role}s": int((dataset.left_out["role"] == role).sum()) for role in ("user", "item")},
        "notes": list(dataset.notes),
    }


def balance(dataset: Dataset) -> dict[str, Any]:
    """Return for interactions, users and items how many were read, kept and dropped by each reason.

    The number read is the number kept plus all those dropped. Items that came later, of `add_items`, are `added` and
    not among those kept. Empty if it is not known what was read.
    """
    kept, facts = dataset.counts(), {}
    for role in ("interactions", "users", "items") if dataset.read else ():
        dropped = {
            reason.removeprefix(f"{role}_"): count
            for reason, count in dataset.dropped.items()
            if _is_of(reason, role) and count
        }
        added = max(0, kept[role] + sum(dropped.values()) - dataset.read[role])
        facts[role] = {
            "read": dataset.read[role],
            "kept": kept[role] - added,
            "dropped": dropped,
            **({"added": added} if added else {}),
        }
    return facts


def _is_of(reason: str, role: str) -> bool:
    return reason.startswith(f"{role}_") and not reason.startswith(f"{role}_vectors_")


def in_words(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of `describe` as labels and values for people."""
    lengths, time, split = facts["history_length"], facts["time"], facts["split"]
    lines = [
        ("users", f"{facts['users']:,}"),
        ("items", f"{facts['items']:,} ({split['cold_items']:,} without a training event)"),
        ("interactions", f"{facts['interactions']:,} (density {facts['density']:.3%})"),
        ("items per history", ", ".join(f"{name} {value:.4g}" for name, value in lengths.items())),
        ("time", _time_in_words(time)),
        (
            f"split {split['kind']}",
            f"{split['training_interactions']:,} training interactions, "
            f"{split['validation_queries']:,} validation and {split['test_queries']:,} test queries",
        ),
    ]
    asked = [part for part in ("validation", "test") if split[f"{part}_queries"]]
    if asked:
        repeated = ", ".join(f"{facts['repeated_targets'][part]:.2%} of {part} targets" for part in asked)
        lines.append(("repeated targets", f"{repeated} are in the user's history"))
    if facts["described"]:
        shares = (f"{name} {share:.1%}" for name, share in facts["described"].items())
        lines.append(("items described", ", ".join(shares)))
    lines += [
        (f"modality {name}", f"width {table['width']}, {table['items']:,} items ({table['coverage']:.1%})")
        for name, table in facts["features"].items()
    ]
    lines += [
        (f"next items by {name}", say_next_item(table["next_item"]))
        for name, table in facts["features"].items()
        if "validation" in asked
    ]
    if "validation" in asked:
        lines.append(("next items by rules", say_rules(facts["rules"])))
    if "test" in asked:
        cold = facts["leakage"]["cold_test_targets"]
        lines.append(("cold test targets", f"{cold:.2%} of test queries"))
    lines += _leakage_in_words(facts["leakage"], time)
    for role, sums in facts["balance"].items():
        parts = [
            f"{sums['kept']:,} kept",
            *(f"{n:,} {why.replace('_', ' ')}" for why, n in sums["dropped"].items()),
        ]
        added = f"; {sums['added']:,} added later" if "added" in sums else ""
        lines.append((f"{role} read", f"{sums['read']:,} = {' + '.join(parts)}{added}"))
    if any(facts["left_out"].values()):
        known = " and ".join(f"{count:,} {role}" for role, count in facts["left_out"].items())
        lines.append(("left out", f"{known}, whose ids are kept to say why"))
    lines += [
        _dropped_in_words(reason, count)
        for reason, count in facts["dropped"].items()
        if count and not any(_is_of(reason, role) for role in facts["balance"])
    ]
    few = (say_few(split[f"{part}_queries"], part) for part in ("validation", "test"))
    return lines + [("note", note) for note in (*facts["notes"], *filter(None, few))]


def _dropped_in_words(reason: str, count: int) -> tuple[str, str]:
    name, is_vectors, why = reason.rpartition("_vectors_")
    if not is_vectors:
        return f"dropped {reason.replace('_', ' ')}", f"{count:,}"
    told = {
        "zero": "have only zeros, which counts as no vector",
        "unknown": "have an id that neither log nor items have",
    }
    return f"dropped vectors of {name}", f"{count:,} {told.get(why, why)}"


def _time_in_words(time: dict[str, Any]) -> str:
    if time["kind"] == "order":
        return "order"
    dates = f", {time['first']} to {time['last']}" if "first" in time else ""
    return f"{time['kind']}, {IN_WORDS[time['unit']]}{dates}"


def _leakage_in_words(leakage: dict[str, Any], time: dict[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if "simultaneous" in leakage:
        share = leakage["simultaneous"]
        order = "shuffled" if time["ties"] == "shuffle" else "in the order of the file"
        lines.append(("simultaneous", f"{share:.2%} of interactions, {order}"))
    if "later_training" in leakage:
        later = leakage["later_training"]
        text = (
            f"of all training events, {later['mean']:.1%} on average (median {later['median']:.1%}) are later "
            f"than a test event; {later['any']:.1%} of test events have later ones"
        )
        return [*lines, ("leakage", text)]
    if time["kind"] == "absolute":
        return [*lines, ("leakage", "none: there are no test questions")]
    known = "an order" if time["kind"] == "order" else "times since each user's first event"
    return [*lines, ("leakage", f"not known: the data has only {known}")]


def _dates(dataset: Dataset) -> dict[str, str]:
    if dataset.time != "absolute":
        return {}
    timestamps = dataset.seconds().to_numpy()
    return {
        "first": _date(float(timestamps.min())),
        "last": _date(float(timestamps.max())),
    }


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError):  # for instance a wrong unit
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
