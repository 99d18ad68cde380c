"""The table of a comparison: everything as CSV and JSON, the main columns as Markdown, the metrics as LaTeX."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prism_rec.comparison.comparison import Arm, Comparison
from prism_rec.comparison.findings import findings
from prism_rec.comparison.result import CellResult, as_share
from prism_rec.evaluation.metrics import ACCURACY_NAMES
from prism_rec.files import write_text_atomically
from prism_rec.markup import markdown_table


def write_tables(comparison: Comparison, out: Path) -> None:
    """Write table.csv, cells.csv, table.md, table.tex and results.json."""
    results = as_values(comparison)
    shown = [short_row(comparison, arm) for arm in comparison.arms]
    write_text_atomically(out / "table.csv", as_csv(results["rows"]))
    write_text_atomically(out / "cells.csv", as_csv(cell_rows(comparison)))
    write_text_atomically(out / "table.md", as_markdown(shown, findings(comparison)))
    write_text_atomically(
        out / "table.tex", as_latex([metrics_row(comparison, arm) for arm in comparison.arms])
    )
    write_text_atomically(out / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def as_values(comparison: Comparison) -> dict[str, Any]:
    """Return everything as JSON values: the recipe, findings, rows of the table, slices, and results of all cells."""
    return {
        "recipe": comparison.recipe.model_dump(mode="json"),
        "findings": findings(comparison),
        "rows": [full_row(comparison, arm) for arm in comparison.arms],
        "slices": {data: [asdict(part) for part in slices] for data, slices in comparison.slices.items()},
        "cells": [result.model_dump(mode="json") for arm in comparison.arms for result in arm.results],
    }


def full_row(comparison: Comparison, arm: Arm) -> dict[str, Any]:
    """Return every number of one model on one dataset; None if a number does not apply."""
    row: dict[str, Any] = {
        "data": arm.data,
        "model": arm.model,
        "seeds": len(arm.results),
        "users": arm.ranks_SQ.shape[1],
        "loss": arm.results[0].loss,
        "negatives": arm.results[0].negatives,
        "candidates": candidates_of(arm),
        "parameters": arm.results[0].parameters,
        "search_trials": arm.results[0].search_trials,
        "epochs": sum(len(result.epochs) for result in arm.results) / len(arm.results),
        **{name: arm.cost(name) for name in ("best_epoch", "share", "training_seconds", "testing_seconds")},
        "stopped_by_epochs": sum(result.stopped_by == "epochs" for result in arm.results),
        "was_improving": sum(result.was_improving for result in arm.results),
        "peak_memory_mb": arm.cost("peak_memory_mb"),
        "reference": comparison.recipe.reference_of(arm.model),
    }
    for metric in ACCURACY_NAMES:
        value = comparison.estimates[arm.data, arm.model, metric]
        row |= {metric: value.mean, f"{metric} sd": arm.spread(metric)}
        row |= {f"{metric} low": value.low, f"{metric} high": value.high}
    for metric in comparison.recipe.metrics:
        row |= _difference_columns(comparison, arm, metric)
    return row


def _difference_columns(comparison: Comparison, arm: Arm, metric: str) -> dict[str, float | None]:
    found = comparison.differences.get((arm.data, arm.model, metric))
    interval = found.estimate if found else None
    columns = {
        f"{metric} difference": interval.mean if interval else None,
        f"{metric} difference low": interval.low if interval else None,
        f"{metric} difference high": interval.high if interval else None,
    }
    for kind in ("users", "seeds"):
        p_value = getattr(found, kind) if found else None
        for name in ("raw", "holm", "benjamini_hochberg"):
            columns[f"{metric} p {kind} {name}"] = getattr(p_value, name) if p_value else None
    return columns


def cell_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row per data, model, seed and metric: the mean over users. Popularity has the same value with each."""
    return [
        {"data": arm.data, "model": arm.model, "seed": seed, "metric": metric, "value": float(value)}
        for arm in comparison.arms
        for metric in ACCURACY_NAMES
        for seed, value in zip(comparison.recipe.seeds, arm.seed_means(metric), strict=True)
    ]


def metrics_row(comparison: Comparison, arm: Arm) -> dict[str, str]:
    """Return one model's metrics as texts by column; the data are named if there are several."""
    data = {"data": arm.data} if len(comparison.recipe.data) > 1 else {}
    return data | {"model": arm.model} | accuracy_cells(comparison, arm)


def short_row(comparison: Comparison, arm: Arm) -> dict[str, str]:
    """Return the main numbers of one model on one dataset, as texts by column, without those that do not apply."""
    names = {"data": arm.data, "model": arm.model, "loss": loss_of(arm), "candidates": candidates_of(arm)}
    compared = accuracy_cells(comparison, arm) | difference_cells(comparison, arm)
    return names | compared | reach_cells(arm.results) | cost_cells(arm)


def accuracy_cells(comparison: Comparison, arm: Arm) -> dict[str, str]:
    """Return the recipe's metrics: mean, deviation over seeds, interval over users."""
    cells = {}
    for metric in comparison.recipe.metrics:
        value, spread = comparison.estimates[arm.data, arm.model, metric], spread_of(arm.spread(metric))
        cells[metric] = f"{value.mean:.4f}{spread} ({value.low:.4f} to {value.high:.4f})"
    return cells


def spread_of(deviation: float | None) -> str:
    """Return a deviation over seeds as it follows a mean; empty if there is none, as with one seed."""
    return "" if deviation is None else f" ± {deviation:.4f}"


def difference_cells(comparison: Comparison, arm: Arm) -> dict[str, str]:
    """Return the differences to the model's reference with their intervals and corrected p-values."""
    cells = {}
    if comparison.recipe.against:
        cells["against"] = comparison.recipe.reference_of(arm.model) or ""
    for metric in comparison.recipe.metrics:
        found = comparison.differences.get((arm.data, arm.model, metric))
        name = difference_column(comparison, metric)
        if found is None:
            cells[name] = "reference"
            continue
        gap = found.estimate
        cells[name] = f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})"
        for kind, p_value in (("users", found.users), ("seeds", found.seeds)):
            if p_value:
                cells[f"{metric} p {kind}, Holm"] = f"{p_value.holm:.2g}"
                cells[f"{metric} p {kind}, BH"] = f"{p_value.benjamini_hochberg:.2g}"
    return cells


def difference_column(comparison: Comparison, metric: str) -> str:
    """Return the heading of a metric's differences; it names the reference if all rows have the same one."""
    return f"{metric} difference" if comparison.recipe.against else f"{metric} - {comparison.reference}"


def reach_cells(results: Sequence[CellResult]) -> dict[str, str]:
    """Return how far training came: one value, or one per cell if they differ; empty if nothing was trained."""
    if not any(result.epochs for result in results):
        return {}
    return {
        "epochs": _each(len(result.epochs) for result in results),
        "best epoch": _each(result.best_epoch for result in results),
        "stopped by": _each(result.stopped_by for result in results),
        "best in the end": _each("yes" if result.was_improving else "no" for result in results),
        "examples per epoch": _each(as_share(result.share) for result in results),
    }


def _each(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def cost_cells(arm: Arm) -> dict[str, str]:
    """Return the costs of a model, averaged over seeds."""
    return {
        "parameters": f"{arm.results[0].parameters:,}",
        "train s": f"{arm.cost('training_seconds'):.1f}",
        "test s": f"{arm.cost('testing_seconds'):.1f}",
        "peak MB": f"{arm.cost('peak_memory_mb'):.0f}",
    }


def loss_of(arm: Arm) -> str:
    """Return the loss and its negatives in words."""
    result = arm.results[0]
    if not result.epochs:
        return result.loss
    if result.negatives is None:
        in_bfloat16 = result.config["objective"].get("precision") == "bfloat16"
        return f"{result.loss}, all items" + (" in bfloat16" if in_bfloat16 else "")
    return f"{result.loss}, {result.negatives} negative{'' if result.negatives == 1 else 's'}"


def candidates_of(arm: Arm) -> str:
    """Return how candidates are scored: by their `id`, or by `content`, which is id and components."""
    result = arm.results[0]
    return str(result.config["model"]["candidates"]) if result.epochs else ""


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of all rows, in order of appearance."""
    return list(dict.fromkeys(column for row in rows for column in row))


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as CSV; None becomes an empty field."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns_of(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def as_markdown(rows: Sequence[Mapping[str, str]], notes: Sequence[str]) -> str:
    """Return the rows as a Markdown table with notes below it."""
    columns = columns_of(rows)
    table = markdown_table(columns, [[row.get(column, "") for column in columns] for row in rows])
    return f"{table}\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"


def as_latex(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows as a LaTeX tabular with the rules of booktabs."""
    columns = columns_of(rows)
    lines = [_latex_line([row.get(column, "") for column in columns]) for row in rows]
    head = [rf"\begin{{tabular}}{{{'l' * len(columns)}}}", r"\toprule", _latex_line(columns), r"\midrule"]
    return "\n".join([*head, *lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_line(cells: Sequence[str]) -> str:
    escaped = (
        cell.replace("_", r"\_").replace("%", r"\%").replace("±", r"$\pm$").replace(" - ", " $-$ ")
        for cell in cells
    )
    return " & ".join(escaped) + r" \\"
