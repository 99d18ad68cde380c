"""`prism-rec recommend`: the best items for users or histories."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Talk, print_json, say, use_threads
from prism_rec.errors import InputError
from prism_rec.events import Events

if TYPE_CHECKING:
    import polars as pl

    from prism_rec.recommend.recommender import Recommender

# Columns of an items table that name an item to a person, in order of preference.
TITLES = ("title", "name")
SHOWN_HISTORY = 8
SOURCES = ("user", "history", "users", "histories")


class RecommendOptions(Talk, Machine):
    """Recommend items for users or histories, and show what each component adds to a score.

    Give one user or history, or many in a file. The parts of a score add up to it and may be negative.

    For instance:

        prism-rec recommend runs/ml-small --history 1,34,260 --k 5

        prism-rec recommend runs/shop --users users.txt --out recommendations.parquet

        prism-rec recommend runs/shop --user u7 --new-items new.csv --features text=new-text.npy
    """

    run: Path
    """Folder of a finished run."""
    user: str | None = None
    """A user of the run's data, with the user's whole history."""
    history: str | None = None
    """A,B,C: item ids, oldest first."""
    users: Path | None = None
    """File with many users of the run's data: one id per line, or a table with a column user_id."""
    histories: Path | None = None
    """File with many histories: Parquet, JSON lines or CSV with a column history, a list of item ids, oldest first; in
    CSV the ids are separated by commas. A column user_id is optional."""
    candidates: Path | None = None
    """Rank only these items: a file with one id per line, or a table with a column item_id."""
    k: int = Field(10, ge=1)
    """Number of items per user."""
    seen: bool = False
    """Recommend items of the history too."""
    new_items: Path | None = None
    """Rank these items too, which came after training: CSV, TSV or Parquet with item_id."""
    features: dict[str, Path] = {}
    """NAME=FILE: the vectors of the new items for one modality, as in prepare. Repeat for more."""
    out: Path | None = None
    """File to write, in the format of its ending: .parquet, .csv or .jsonl."""


def recommend(options: RecommendOptions) -> None:
    """Recommend and show, print or write the items."""
    from prism_rec.recommend.files import check_output, read_ids, write_frame
    from prism_rec.recommend.recommender import load

    if sum(getattr(options, name) is not None for name in SOURCES) != 1:
        raise InputError(f"give one of {', '.join(f'--{name}' for name in SOURCES)}")
    if options.out is not None:
        check_output(options.out)
    use_threads(options)
    recommender = load(options.run, options.device)
    with shown(options.quiet) as events:
        recommender = _with_new_items(recommender, options, events)
    allowed = read_ids(options.candidates, "item_id") if options.candidates else None
    frame = recommender.recommend(
        **_whom(options), k=options.k, filter_seen=not options.seen, candidates=allowed
    )
    if options.out is not None:
        write_frame(frame, options.out)
    if options.as_json:
        print_json(frame.to_dicts())
    elif options.out is not None:
        say(f"wrote {options.out}: {frame.height:,} items for {frame['user_id'].n_unique():,} users")
    else:
        _show(frame, options, recommender)


def _whom(options: RecommendOptions) -> dict[str, Any]:
    """Return the arguments of `Recommender.recommend` that say for whom."""
    from prism_rec.recommend.files import read_histories, read_ids

    if options.user is not None:
        return {"users": [options.user]}
    if options.users is not None:
        return {"users": read_ids(options.users, "user_id")}
    if options.histories is not None:
        return {"histories": read_histories(options.histories)}
    return {"histories": [_items_of(options.history or "")]}


def _items_of(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _with_new_items(recommender: "Recommender", options: RecommendOptions, events: Events) -> "Recommender":
    """Return a recommender that knows the new items too; note how many of them have no vectors.

    Raises:
        InputError: a file cannot be read, or its vectors are of an encoder that learned from other texts than the
            model's.
    """
    import numpy as np

    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.vectors_file import read_vectors_file, require_portable

    if options.new_items is None:
        if options.features:
            raise InputError("--features are the vectors of --new-items FILE; give both")
        return recommender
    for file in options.features.values():
        require_portable(str(file))
    with reading(str(options.new_items)):
        items = scan_table(options.new_items).collect()
    known = recommender.dataset.number_of_items
    vectors = {name: read_vectors_file(str(file))[:2] for name, file in options.features.items()}
    wider = recommender.with_items(items, vectors)
    described = np.any([table.present for table in wider.dataset.features.values()], axis=0)[known + 1 :]
    bare = wider.dataset.items["item_id"][known:].filter(~described)
    if len(bare):
        events.note(
            f"note: {len(bare)} of {len(described)} new items have no vectors, first {bare[0]}: they all get the same "
            "score; give --features, or the columns that the model's words come from"
        )
    return wider


def _show(frame: "pl.DataFrame", options: RecommendOptions, recommender: "Recommender") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names, console = _titles(recommender), Console()
    many = options.users is not None or options.histories is not None
    if not many:
        _show_history(options, recommender, names)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in (*(["user"] if many else []), "", "item", "score", *recommender.component_names):
        text = column in ("user", "item")
        table.add_column(column.replace(":", ":\n"), justify="left" if text else "right", overflow="fold")
    for row in frame.iter_rows(named=True):
        numbers = [f"{row[name]:.2f}" for name in ("score", *recommender.component_names)]
        user = [Text(row["user_id"] if row["rank"] == 1 else "")] if many else []
        table.add_row(*user, str(row["rank"]), Text(names.get(row["item_id"], row["item_id"])), *numbers)
    console.print(table)


def _titles(recommender: "Recommender") -> dict[str, str]:
    """Return what a person calls the items, by id; empty if the data has no titles."""
    items = recommender.dataset.items
    title = next((name for name in TITLES if name in items.columns), None)
    titles = dict(items.select("item_id", title).iter_rows()) if title else {}
    return {item: f"{text} [{item}]" for item, text in titles.items() if text}


def _show_history(options: RecommendOptions, recommender: "Recommender", names: dict[str, str]) -> None:
    from rich.console import Console
    from rich.text import Text

    history = _items_of(options.history or "")
    if options.user is not None:
        history = recommender.history_of(options.user)
    console = Console()
    console.print(f"history: {len(history)} items, the latest last", highlight=False)
    known = set(recommender.dataset.items["item_id"])
    for item in history[-SHOWN_HISTORY:]:
        left_out = "" if item in known else " (unknown to the model, left out)"
        console.print(Text(f"  {names.get(item, item)}{left_out}"))
