"""`prism-rec recommend`: the best items for users or histories."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Allowed, Machine, Replace, Talk, items_of, use_threads
from prism_rec.cli.options import flag_of
from prism_rec.cli.terminal import SafeConsole, print_json, say
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.inputs import split_ids

if TYPE_CHECKING:
    import polars as pl

    from prism_rec.data import Dataset
    from prism_rec.recommend.recommender import Recommender

SHOWN_HISTORY = 8
SOURCES = ("user", "history", "users", "histories", "all_users")


class RecommendOptions(Talk, Allowed, Replace, Machine):
    """Recommend items for users or histories, and show what each component adds to a score.

    Give one user or history, many in a file, or all users. The parts of a score add up to it and may be negative. Users
    who are unknown, and histories without a known item, get the most popular items; the column basis says so.

    For instance:

        prism-rec recommend runs/ml-small --history 1,34,260 --k 5

        prism-rec recommend runs/shop --users users.txt --out recommendations.parquet

        prism-rec recommend runs/shop --all-users \\
          --where category=Books --where "price<=20" --out books.csv

        prism-rec recommend runs/shop --user u7 --new-items new.csv \\
          --features text=new-text.npy
    """

    run: Path
    """Folder of a finished run."""
    user: str | None = None
    """A user of the run's data, with the user's whole history."""
    history: str | None = None
    """A,B,C: item ids, oldest first; an id that has a comma is in double quotes, as in '"a,b",c'."""
    users: Path | None = None
    """File with many users of the run's data: one id per line, perhaps below the name user_id, or a table
    with a column user_id."""
    histories: Path | None = None
    """File with many histories: Parquet, JSON lines or CSV with a column history, a list of item ids, oldest first; in
    CSV the ids are separated by commas. A column user_id is optional."""
    all_users: bool = False
    """All users of the run's data."""
    k: int = Field(10, ge=1)
    """Number of items per user."""
    seen: Literal["remove", "keep"] | None = None
    """Remove the items of the history, or keep them as candidates; by default as the run was evaluated."""
    new_items: Path | None = None
    """Rank these items too, which came after training: CSV, TSV or Parquet with item_id."""
    columns: dict[str, str] = Field(default_factory=dict)
    """item=NAME: the column of item ids in the files of new items, if it is not item_id."""
    features: dict[str, str] = {}
    """NAME=FILE: the vectors of the new items for one modality, as in prepare. Repeat for more. If the run's data came
    from folders of embed, texts and pictures are encoded without them."""
    pictures: Path | None = None
    """Pictures of the new items: a folder of images, or of files named ITEM_ID.jpg."""
    out: Path | None = None
    """File to write, in the format of its ending: .parquet, .csv or .jsonl."""


def recommend(options: RecommendOptions) -> None:
    """Recommend and show, print or write the items."""
    from prism_rec.recommend.answers import POPULARITY
    from prism_rec.recommend.files import check_output, write_frame
    from prism_rec.recommend.recommender import load

    if sum(getattr(options, name) not in (None, False) for name in SOURCES) != 1:
        raise InputError(f"give exactly one of {', '.join(flag_of(name) for name in SOURCES)}")
    if options.out is not None:
        check_output(options.out, _inputs(options), options.replace)
    use_threads(options)
    recommender = load(options.run, options.device)
    allowed = options.conditions()
    with shown(options.quiet) as events:
        _add_items(recommender, options, events)
        whom = _whom(options, recommender, events)
        frame = recommender.recommend(**whom, k=options.k, seen=options.seen, **allowed, events=events)
    if options.out is not None:
        write_frame(frame, options.out)
    if options.as_json:
        print_json(frame.to_dicts())
    elif options.out is not None:
        popular = frame.filter(basis=POPULARITY)["user_id"].n_unique()
        by = f", {popular:,} of them by popularity" if popular else ""
        say(f"wrote {options.out}: {frame.height:,} items for {frame['user_id'].n_unique():,} users{by}")
    else:
        _show(frame, options, recommender)


def _inputs(options: RecommendOptions) -> list[Path]:
    """Return every file and folder that the options name, but the output."""
    from prism_rec.features.vectors_file import files_of

    named = [value for name, value in options if isinstance(value, Path) and name != "out"]
    return named + [path for given in options.features.values() for path in files_of(given)]


def _whom(options: RecommendOptions, recommender: "Recommender", events: Events) -> dict[str, Any]:
    """Return the arguments of `Recommender.recommend` that say for whom."""
    from prism_rec.recommend.files import read_histories, read_ids

    if options.user is not None:
        return {"users": [options.user]}
    if options.all_users:
        dataset = recommender.dataset
        if absent := dataset.number_left_out("user"):
            events.note(
                f"note: {absent:,} users of the log are not in the run ({_too_few(dataset)}); give them with --users, "
                "and they get popular items"
            )
        return {"users": recommender.dataset.users["user_id"]}
    if options.users is not None:
        return {"users": read_ids(options.users, "user_id")}
    if options.histories is not None:
        return {"histories": read_histories(options.histories)}
    return {"histories": [items_of(options.history or "", recommender)]}


def _too_few(dataset: "Dataset") -> str:
    fewest = dataset.fewest_events("user")
    if fewest > 1:
        return f"fewer than {fewest} events are left of theirs"
    return "no event of theirs is in its data"  # of `refit`, whose data may be of a split that needed more events


def _add_items(recommender: "Recommender", options: RecommendOptions, events: Events) -> None:
    from prism_rec.cli.add_items import add_from_files

    if options.new_items is not None:
        add_from_files(
            recommender, options.new_items, options.columns, options.features, options.pictures, events
        )
    elif options.features or options.pictures or options.columns:
        raise InputError("--features, --pictures and --columns are those of --new-items FILE; give both")


def _show(frame: "pl.DataFrame", options: RecommendOptions, recommender: "Recommender") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console = SafeConsole()
    many = options.user is None and options.history is None
    if not many:
        _show_history(options, recommender)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in (*(["user"] if many else []), "", "item", "score", *recommender.component_names):
        text = column in ("user", "item")
        table.add_column(column.replace(":", ":\n"), justify="left" if text else "right", overflow="fold")
    for row in frame.iter_rows(named=True):
        numbers = [row[name] for name in ("score", *recommender.component_names)]
        cells = (
            ["popular", *["-"] * (len(numbers) - 1)] if numbers[0] is None else map("{:z.2f}".format, numbers)
        )
        user = [Text(row["user_id"] if row["rank"] == 1 else "")] if many else []
        table.add_row(*user, str(row["rank"]), Text(_named(row["item_id"], row.get("title"))), *cells)
    console.print(table)


def _named(item: str, title: str | None) -> str:
    return f"{title} [{item}]" if title else item


def _show_history(options: RecommendOptions, recommender: "Recommender") -> None:
    from rich.text import Text

    history = split_ids(options.history or "")
    if options.user is not None and options.user in recommender.dataset.users["user_id"]:
        history = recommender.history_of(options.user)
    console = SafeConsole()
    shown = f"the latest {SHOWN_HISTORY} of " if len(history) > SHOWN_HISTORY else ""
    console.print(f"history: {shown}{len(history)} items, the latest last", highlight=False)
    unknown = set(recommender.unknown_items(history))
    for item in history[-SHOWN_HISTORY:]:
        if item in unknown:
            console.print(Text(f"  {item} (unknown to the model, left out)"))
        else:
            console.print(Text(f"  {_named(item, recommender.title_of(item))}"))
