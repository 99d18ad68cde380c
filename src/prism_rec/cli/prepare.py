"""`prism-rec prepare`: raw logs to a dataset folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from prism_rec.errors import InputError

Interactions = Annotated[
    Path,
    typer.Option(
        "--interactions",
        "--reviews",
        help="The log: a table (.csv, .tsv, .parquet; .gz too), reviews, or a folder, as the source has it.",
    ),
]
Out = Annotated[Path, typer.Option(help="Folder to write; an earlier dataset there is replaced.")]
SourceName = Annotated[
    Literal[
        "table",
        "movielens",
        "text",
        "amazon-2014",
        "amazon-2018",
        "amazon-2023",
        "yelp",
        "recbole",
        "mmrec",
    ],
    typer.Option(
        help="table: a row an event. movielens: a GroupLens folder. text: `user item item ...`. "
        "amazon-...: reviews and metadata as published that year. yelp: the Open Dataset's files or their "
        "folder. recbole: .inter file or its folder. mmrec: a folder."
    ),
]
Items = Annotated[
    Path | None,
    typer.Option(
        "--items",
        "--meta",
        help="What the items are: a table with their id, title and any further columns; Amazon's "
        "metadata; Yelp's businesses; an .item file.",
    ),
]
Photos = Annotated[Path | None, typer.Option(help="yelp: the list of photos, photos.json.")]
Features = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FILE[:IDS]",
        help="A modality's vectors: a folder of embed; .npy, .safetensors or .pt, with ids, one a line, in "
        "STEM.ids.txt or IDS; or .parquet with item_id. Repeat for more.",
    ),
]
Bags = Annotated[
    list[str] | None,
    typer.Option(
        "--bag",
        metavar="NAME=COLUMN[,COLUMN]",
        help="A modality made of the words in columns of the items, such as title or categories: the model learns a "
        "vector for each word. Repeat for more.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=NAME",
        help="A column's name, where it is not user_id, item_id, timestamp or rating. "
        "Roles: user, item, timestamp, rating. Repeat for more.",
    ),
]
Time = Annotated[
    Literal["absolute", "relative", "order"] | None,
    typer.Option(
        help="What a table's timestamps mean: dates or seconds since 1970 (absolute), seconds since the "
        "user's first event (relative), or order alone (they may be missing). Default: absolute."
    ),
]
MinRating = Annotated[float | None, typer.Option(help="Drop events rated lower.")]
Duplicates = Annotated[
    Literal["first", "last", "all"],
    typer.Option(help="Which of a user's events with one and the same item to keep."),
]
Core = Annotated[
    int, typer.Option(min=1, help="Drop users and items with fewer events, until there are none.")
]
SplitName = Annotated[
    Literal["leave-one-out", "temporal"],
    typer.Option(
        help="leave-one-out: a user's last item is for test, the one before it for validation. "
        "temporal: two moments, the same for all users."
    ),
]
Quantiles = Annotated[
    tuple[float, float] | None,
    typer.Option(help="temporal: where validation and test begin, as shares of events. Default: 0.8 0.9."),
]
Times = Annotated[
    tuple[str, str] | None,
    typer.Option(help="temporal: when validation and test begin, such as 2017-01-01 2018-01-01."),
]
AllowUnknownFeatures = Annotated[
    bool,
    typer.Option(
        "--allow-unknown-features", help="Leave out vectors of items that neither log nor items know."
    ),
]


def prepare(
    interactions: Interactions,
    out: Out,
    source: SourceName = "table",
    items: Items = None,
    photos: Photos = None,
    features: Features = None,
    bags: Bags = None,
    columns: Columns = None,
    time: Time = None,
    min_rating: MinRating = None,
    duplicates: Duplicates = "first",
    core: Core = 1,
    split: SplitName = "leave-one-out",
    quantiles: Quantiles = None,
    times: Times = None,
    allow_unknown_features: AllowUnknownFeatures = False,
) -> None:
    r"""Turn a raw log into a dataset that train, evaluate and recommend read.

    Each user's events are put in order of time, equal times in the order of the file. Lines of large files
    that cannot be read are left out and counted, up to 1 in 100; any other fault of the input stops the
    command, and nothing is written. What was made is shown, and kept in card.md and card.html of the folder.
    Where all of it was done before, with the same options and files, it is passed over.

    For instance:

        prism-rec prepare --source movielens --interactions ml-latest-small \
          --min-rating 4 --core 5 --features text=text.npy --out data/ml-small

        prism-rec prepare --source amazon-2014 --reviews reviews_Beauty_5.json.gz \
          --meta meta_Beauty.json.gz --core 5 --out data/beauty
    """
    from prism_rec.cli.describe import show
    from prism_rec.cli.pairs import parse_pairs
    from prism_rec.data.dataset import Dataset
    from prism_rec.features.chain import run_chain
    from prism_rec.features.prepare_step import PrepareOptions, prepare_step

    settings = {
        "source": source,
        "interactions": interactions,
        "items": items,
        "photos": photos,
        "features": parse_pairs(features, "--features"),
        "bags": {name: {"columns": text.split(",")} for name, text in parse_pairs(bags, "--bag").items()},
        "allow_unknown_features": allow_unknown_features,
        "columns": parse_pairs(columns, "--columns"),
        "time": time,
        "cleaning": {"min_rating": min_rating, "duplicates": duplicates, "core": core},
        "split": {"name": split, **_moments(split, quantiles, times)},
    }
    step = prepare_step(PrepareOptions.parse(settings, "prepare"), out, progress=True)
    run_chain([step], out / "steps.json", typer.echo)
    show(Dataset.load(out), str(out))


def _moments(
    split: str, quantiles: tuple[float, float] | None, times: tuple[str, str] | None
) -> dict[str, tuple[float, ...]]:
    """Return the parameters of the split rule."""
    import polars as pl

    from prism_rec.data.times import to_seconds

    if (quantiles or times) and split != "temporal":
        raise InputError("--quantiles and --times belong to --split temporal; add that or leave them out")
    if quantiles and times:
        raise InputError("--quantiles and --times: give one of them")
    if quantiles:
        return {"quantiles": quantiles}
    if times:
        return {"times": tuple(map(float, to_seconds(pl.Series("time", times), "--times")))}
    return {}
