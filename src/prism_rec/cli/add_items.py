"""`prism-rec add-items`: a run that ranks items which came after training."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Talk, use_threads
from prism_rec.cli.terminal import print_json, say
from prism_rec.events import Events

if TYPE_CHECKING:
    from prism_rec.recommend.recommender import Recommender


class AddItemsOptions(Talk, Machine, Output):
    """Make a run that ranks new items too. Nothing is trained: their texts and pictures are what they are ranked by.

    If the run's data came from folders of embed, the texts and pictures of the new items are encoded as those were.

    For instance:

        prism-rec add-items runs/shop --items new.csv --out runs/shop-with-new

        prism-rec add-items runs/shop --items new.csv --pictures photos \\
          --out runs/shop-with-new
    """

    run: Path
    """Folder of a finished run."""
    items: Path
    """The new items: CSV, TSV or Parquet with item_id and the columns of the run's items, such as title."""
    columns: dict[str, str] = {}
    """item=NAME: the column of item ids in files, if it is not item_id."""
    features: dict[str, str] = {}
    """NAME=FILE: vectors of one modality, as in prepare. Repeat for more."""
    pictures: Path | None = None
    """A folder of images, or of files named ITEM_ID.jpg."""
    skip_known: bool = False
    """Skip items that the run knows already, unchanged, instead of refusing them."""


def add_items(options: AddItemsOptions) -> None:
    """Add the items and write the run."""
    from prism_rec.folders import check_empty
    from prism_rec.recommend.recommender import load

    check_empty(options.out)
    use_threads(options)
    recommender = load(options.run, options.device)
    before = recommender.dataset.number_of_items
    with shown(options.quiet) as events:
        add_from_files(
            recommender,
            options.items,
            options.columns,
            options.features,
            options.pictures,
            events,
            options.skip_known,
        )
    recommender.save(options.out)
    counts = {
        "new": recommender.dataset.number_of_items - before,
        "items": recommender.dataset.number_of_items,
    }
    if options.as_json:
        print_json(counts)
    else:
        say(f"wrote {options.out}: {counts['new']:,} new items, {counts['items']:,} in all")


def add_from_files(
    recommender: "Recommender",
    items: Path,
    columns: Mapping[str, str],
    features: Mapping[str, str],
    pictures: Path | None,
    events: Events,
    skip_known: bool = False,
) -> None:
    """Add new items; note how many of them have no vectors.

    Raises:
        InputError: a file cannot be read, or see `Recommender.add_items`.
    """
    import numpy as np

    from prism_rec.data.frames import with_item_id
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.vectors_file import given_features

    with reading(str(items)):
        frame = scan_table(items).collect()
    frame = with_item_id(frame, columns, str(items))
    known = recommender.dataset.number_of_items
    recommender.add_items(
        frame, given_features(features, columns), pictures=pictures, skip_known=skip_known, events=events
    )
    dataset = recommender.dataset
    described = np.any([table.present for table in dataset.features.values()], axis=0)[known + 1 :]
    bare = dataset.items["item_id"][known:].filter(~described)
    if len(bare):
        events.note(
            f"note: {len(bare)} of {len(described)} new items have no vectors, first {bare[0]}: they all get the same "
            "score; give --features, or the columns that texts and words come from"
        )
