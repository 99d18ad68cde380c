"""`prism-rec describe`: what is in a dataset folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

    show(Dataset.load(data), str(data), json)


def show(dataset: Dataset, title: str, json: bool = False) -> None:
    """Print a dataset's description as a table of at most 80 columns, or as JSON."""
    from json import dumps

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from prism_rec.data.describe import describe as summarise
    from prism_rec.data.describe import tell

    if json:
        typer.echo(dumps(summarise(dataset), indent=2, ensure_ascii=False))
        return
    table = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    for label, value in tell(summarise(dataset)):
        table.add_row(Text(label), Text(value))
    console = Console()
    console.print(table, width=min(console.width, 80))
