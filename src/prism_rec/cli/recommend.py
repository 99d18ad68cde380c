"""`prism-rec recommend`: the best items for one history or known user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from prism_rec.recommend import Recommender

# Columns of an items table that name an item to a person, in order of preference.
TITLES = ("title", "name")


def recommend(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    history: Annotated[str | None, typer.Option(metavar="A,B,C", help="Item ids, oldest first.")] = None,
    user: Annotated[
        str | None, typer.Option(help="A user of the data, with all that is known of it.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="How many items.")] = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Recommend items of the history too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object an item.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Recommend items and say what each component adds to a score; the parts add up to it.

    For instance:

        prism-rec recommend runs/ml-small --history 1,34,260 --k 5
    """
    from prism_rec.recommend import load

    if (history is None) == (user is None):
        raise InputError("give either --history A,B,C or --user ID")
    recommender = load(run, device)
    if user is not None:
        frame = recommender.recommend(users=[user], k=k, filter_seen=not seen)
    else:
        items = [item.strip() for item in (history or "").split(",") if item.strip()]
        frame = recommender.recommend([items], k=k, filter_seen=not seen)
    if json:
        from json import dumps

        typer.echo(dumps(frame.to_dicts(), indent=2, ensure_ascii=False))
    else:
        _show(frame, recommender)


def _show(frame: pl.DataFrame, recommender: Recommender) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    items = recommender.dataset.items
    title = next((name for name in TITLES if name in items.columns), None)
    names = dict(items.select("item_id", title).iter_rows()) if title else {}
    table = Table()
    for column in ("rank", "item", *([title] if title else []), "score", *recommender.component_names):
        table.add_column(column, justify="left" if column in ("item", title) else "right", overflow="fold")
    for row in frame.iter_rows(named=True):
        texts = [Text(row["item_id"]), *([Text(names[row["item_id"]] or "")] if title else [])]
        numbers = [f"{row[name]:.2f}" for name in ("score", *recommender.component_names)]
        table.add_row(str(row["rank"]), *texts, *numbers)
    Console().print(table)
