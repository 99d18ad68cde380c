"""`prism-rec compare`: a recipe of models, data and seeds to one table and one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from prism_rec.compare import Comparison


def compare(
    recipe: Annotated[Path, typer.Argument(help="YAML recipe; recipes/demo.yaml is a small one.")],
    out: Annotated[Path, typer.Option(help="Folder to write; finished cells in it are kept.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DATA", help="Dataset folder, in place of the recipe's. Repeat for more."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change the recipe: base.train.epochs=5. Repeatable."
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cells at once. Default: as cores allow.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Train models on data with several seeds and one budget for all, and say what the numbers show.

    Interrupted, it goes on where it was when called again. Writes table.csv, table.md, table.tex, results.json and
    report.html; each cell is a run folder for evaluate and recommend.

    For instance:

        prism-rec compare recipes/demo.yaml --data runs/demo/data --out runs/demo/comparison
    """
    from prism_rec.compare import compare as run
    from prism_rec.compare import read_recipe
    from prism_rec.report import write_report

    settings = read_recipe(recipe, overrides or [], data or [])
    if jobs is not None:
        settings = settings.model_copy(update={"jobs": jobs})
    comparison = run(settings, out, device)
    write_report(comparison, out)
    _show(comparison)
    typer.echo(f"wrote {out / 'report.html'}")


def _show(comparison: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table

    from prism_rec.compare.findings import findings
    from prism_rec.compare.table import difference_column

    console = Console()
    reference, metrics = comparison.reference, comparison.recipe.metrics
    for data in comparison.recipe.data:
        users = comparison.estimates[data, reference, metrics[0]].queries
        table = Table(
            title=f"{data}: {users:,} test users, whole catalogue, 95 % intervals over users",
            title_justify="left",
            show_lines=True,
        )
        for column in ("model", *metrics, difference_column(comparison, metrics[0]), "train s"):
            table.add_column(column, justify="left" if column == "model" else "right")
        for arm in comparison.arms_of(data):
            values = [comparison.estimates[data, arm.model, metric] for metric in metrics]
            cells = [f"{value.mean:.4f}\n{value.low:.4f} to {value.high:.4f}" for value in values]
            found = comparison.differences.get((data, arm.model, metrics[0]))
            gap = found and found.estimate
            cells.append(f"{gap.mean:+.4f}\n{gap.low:+.4f} to {gap.high:+.4f}" if gap else "")
            table.add_row(arm.model, *cells, f"{arm.cost('training_seconds'):.0f}")
        console.print(table)
    for sentence in findings(comparison):
        console.print(sentence, highlight=False)
