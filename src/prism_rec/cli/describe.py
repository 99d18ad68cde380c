"""`prism-rec describe`: what is in a dataset folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from prism_rec.data.dataset import Dataset


def describe(
    data: Annotated[Path, typer.Argument(help="A folder that prepare has written.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Show a dataset's counts, histories, time, split, modalities and what was left out.

    For instance:

        prism-rec describe data/ml-small
    """
    from prism_rec.data.dataset import Dataset

    dataset = Dataset.load(data)
    if json:
        from json import dumps

        from prism_rec.data.describe import describe as summarise

        typer.echo(dumps(summarise(dataset), indent=2, ensure_ascii=False))
    else:
        show(dataset, str(data))


def show(dataset: Dataset, title: str) -> None:
    """Print a dataset's description as a table of at most 80 columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from prism_rec.data.describe import describe as summarise

    table = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    for label, value in _lines(summarise(dataset)):
        table.add_row(Text(label), Text(value))
    console = Console()
    console.print(table, width=min(console.width, 80))


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lengths, time, split = facts["history_length"], facts["time"], facts["split"]
    lines = [
        ("users", f"{facts['users']:,}"),
        ("items", f"{facts['items']:,} ({split['cold_items']:,} without a training event)"),
        ("interactions", f"{facts['interactions']:,} (density {facts['density']:.3%})"),
        ("items a history", ", ".join(f"{name} {value:.4g}" for name, value in lengths.items())),
        ("time", time["kind"] + (f", {time['first']} to {time['last']}" if "first" in time else "")),
        (
            f"split {split['name']}",
            f"{split['training_interactions']:,} training interactions, "
            f"{split['validation_queries']:,} validation and {split['test_queries']:,} test queries",
        ),
    ]
    lines += [
        (f"modality {name}", f"width {table['width']}, {table['items']:,} items ({table['coverage']:.1%})")
        for name, table in facts["features"].items()
    ]
    dropped = [(reason.replace("_", " "), count) for reason, count in facts["dropped"].items() if count]
    return lines + [(f"dropped {reason}", f"{count:,}") for reason, count in dropped]
