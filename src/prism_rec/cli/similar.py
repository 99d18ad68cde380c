"""`prism-rec similar`: the items that a model reads alike."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Allowed, Machine, Talk, use_threads
from prism_rec.cli.terminal import SafeConsole, print_json

if TYPE_CHECKING:
    import polars as pl


class SimilarOptions(Talk, Allowed, Machine):
    """Show the items that the model reads most like an item in a history.

    Similarity is the cosine of id and components, with the mean weights of all users.

    For instance:

        prism-rec similar runs/ml-small --item 260 --k 5
    """

    run: Path
    """Folder of a finished run."""
    item: str
    """Any item of the run's data; it is left out itself."""
    k: int = Field(10, ge=1)
    """Number of items."""


def similar(options: SimilarOptions) -> None:
    """Find the items and show or print them."""
    from prism_rec.recommend.recommender import load

    use_threads(options)
    recommender = load(options.run, options.device)
    allowed = options.conditions()
    with shown(options.quiet) as events:
        frame = recommender.similar_items(options.item, options.k, **allowed, events=events)
    if options.as_json:
        print_json(frame.to_dicts())
    else:
        _show(frame, options.item, recommender.title_of(options.item))


def _show(frame: "pl.DataFrame", item: str, title: str | None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console = SafeConsole()
    console.print(Text(f"similar to {_named(item, title)}"))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", justify="right")
    table.add_column("item", overflow="fold")
    table.add_column("similarity", justify="right")
    for row in frame.iter_rows(named=True):
        named = Text(_named(row["item_id"], row.get("title")))
        table.add_row(str(row["rank"]), named, f"{row['similarity']:.3f}")
    console.print(table)


def _named(item: str, title: str | None) -> str:
    return f"{title} [{item}]" if title else item
