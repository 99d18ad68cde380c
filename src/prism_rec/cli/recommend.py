"""`prism-rec recommend`: the best items for one history or known user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from prism_rec.data.dataset import Dataset
    from prism_rec.recommend import Recommender

# Columns of an items table that name an item to a person, in order of preference.
TITLES = ("title", "name")
SHOWN_HISTORY = 8


def recommend(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    history: Annotated[str | None, typer.Option(metavar="A,B,C", help="Item ids, oldest first.")] = None,
    user: Annotated[
        str | None, typer.Option(help="A user of the data, with all that is known of it.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="How many items.")] = 10,
    new_items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rank these too, which came after training: CSV, TSV or Parquet with item_id.",
        ),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="The new items' vectors of one modality, as in `prepare`; repeat it."
        ),
    ] = None,
    seen: Annotated[bool, typer.Option("--seen", help="Recommend items of the history too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object an item.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Show the latest items of a history, then recommend items and say what each component adds to a score.

    The parts add up to the score and may be negative.

    For instance:

        prism-rec recommend runs/ml-small --history 1,34,260 --k 5
        prism-rec recommend runs/shop --user u7 --new-items new.csv --features text=new-text.npy
    """
    from prism_rec.recommend import load

    if (history is None) == (user is None):
        raise InputError("give either --history A,B,C or --user ID")
    recommender = load(run, device)
    if new_items is not None:
        known = recommender.dataset.number_of_items
        recommender = recommender.with_items(*_read_new(new_items, features))
        _note_undescribed(recommender.dataset, known)
    elif features:
        raise InputError("--features are those of --new-items FILE; give both")
    if user is not None:
        frame = recommender.recommend(users=[user], k=k, filter_seen=not seen)
        items = _history_of(user, recommender)
    else:
        items = [item.strip() for item in (history or "").split(",") if item.strip()]
        frame = recommender.recommend([items], k=k, filter_seen=not seen)
    if json:
        from json import dumps

        typer.echo(dumps(frame.to_dicts(), indent=2, ensure_ascii=False))
    else:
        _show(frame, items, recommender)


def _note_undescribed(dataset: Dataset, known: int) -> None:
    """Say how many of the items behind the `known` ones have no vector at all."""
    import numpy as np

    described = np.any([table.present for table in dataset.features.values()], axis=0)[known + 1 :]
    bare = dataset.items["item_id"][known:].filter(~described)
    if len(bare):
        typer.echo(
            f"note: {len(bare)} of {len(described)} new items have no vectors, first {bare[0]}: nothing tells them "
            "apart; give --features",
            err=True,
        )


def _read_new(items: Path, features: list[str] | None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the new items and their vectors, by modality.

    Raises:
        InputError: a file cannot be read, or vectors of an encoder that learned from other texts than the model's.
    """
    from prism_rec.cli.pairs import parse_pairs
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.vectors_file import read_vectors_file, require_portable

    files = parse_pairs(features, "--features")
    for file in files.values():
        require_portable(file)
    with reading(str(items)):
        frame = scan_table(items).collect()
    return frame, {name: read_vectors_file(file)[:2] for name, file in files.items()}


def _history_of(user: str, recommender: Recommender) -> list[str]:
    """Return the item ids of a known user, oldest first."""
    dataset = recommender.dataset
    row = dataset.users["user_id"].index_of(user)
    assert row is not None  # or there would be no recommendations
    return dataset.items["item_id"].gather(dataset.histories[row] - 1).to_list()


def _show(frame: pl.DataFrame, history: list[str], recommender: Recommender) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    items = recommender.dataset.items
    title = next((name for name in TITLES if name in items.columns), None)
    titles = dict(items.select("item_id", title).iter_rows()) if title else {}
    names = {item: f"{text} [{item}]" for item, text in titles.items() if text}
    known = set(items["item_id"])
    console = Console()
    console.print(f"history: {len(history)} items, the latest last", highlight=False)
    for item in history[-SHOWN_HISTORY:]:
        left_out = "" if item in known else " (unknown to the model, left out)"
        console.print(Text(f"  {names.get(item, item)}{left_out}"))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("", "item", "score", *recommender.component_names):
        heading = column.replace(":", ":\n")
        table.add_column(heading, justify="left" if column == "item" else "right", overflow="fold")
    for row in frame.iter_rows(named=True):
        numbers = [f"{row[name]:.2f}" for name in ("score", *recommender.component_names)]
        table.add_row(str(row["rank"]), Text(names.get(row["item_id"], row["item_id"])), *numbers)
    console.print(table)
