"""`prism-rec add-items`: a run that ranks items which came after training."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Replace, Talk, use_threads
from prism_rec.cli.terminal import print_json, say
from prism_rec.events import Events

if TYPE_CHECKING:
    from prism_rec.recommend.recommender import Recommender
    from prism_rec.stages.chain import Step

NO_INFLUENCE = ("out", "device", "threads", "quiet", "as_json", "replace")
"""Options on which the new run does not depend."""


class AddItemsOptions(Talk, Replace, Machine, Output):
    """Make a run that ranks new items too. Nothing is trained: new items are ranked by their texts and pictures.

    If the run's data came from folders of embed, the texts and pictures of the new items are encoded as those were.
    Nothing is done if it was done before with the same options and files. If files have changed, the run is made again.

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
    """Add the items and write the run, if that was not done before."""
    from prism_rec.files import locked
    from prism_rec.folders import STEPS, check_empty
    from prism_rec.stages.chain import run_chain

    if not (options.out / STEPS).exists():  # a run that was trained is never replaced
        check_empty(options.out, resumes=False)
    use_threads(options)
    with shown(options.quiet) as events:
        step = _step(options, events)
        with locked(options.out):
            run_chain([step], options.out, events, options.replace)
    before, after = (_number_of_items(folder) for folder in (options.run, options.out))
    if options.as_json:
        print_json({"new": after - before, "items": after})
    else:
        say(f"{options.out}: {after - before:,} new items, {after:,} in all")


def _step(options: AddItemsOptions, events: Events) -> "Step":
    """Return the work of the command as a step of a chain, so that it is done once.

    Raises:
        FolderError: the run is not finished.
    """
    from prism_rec.features.vectors_file import files_of, places_from
    from prism_rec.recommend.recommender import load
    from prism_rec.records import MANIFEST, read_manifest
    from prism_rec.stages.chain import Step, recorded

    if not (options.run / MANIFEST).is_file():
        load(options.run, options.device)  # says what is wrong

    def run() -> None:
        recommender = load(options.run, options.device)
        add_from_files(
            recommender,
            options.items,
            options.columns,
            options.features,
            options.pictures,
            events,
            options.skip_known,
        )
        recommender.save(options.out, replace=True)

    vectors = [file for given in options.features.values() for file in files_of(given)]
    pictures = [] if options.pictures is None else sorted(options.pictures.rglob("*"))
    settings = recorded(options, options.out) | {"features": places_from(options.out, options.features)}
    return Step(
        name="add-items",
        folder=options.out,
        stage=read_manifest(options.run / MANIFEST)["stage"],
        settings={name: value for name, value in settings.items() if name not in NO_INFLUENCE},
        inputs=(
            options.run / MANIFEST,
            options.items,
            *vectors,
            *(path for path in pictures if path.is_file()),
        ),
        run=run,
    )


def _number_of_items(run: Path) -> int:
    from prism_rec.records import MANIFEST, read_manifest
    from prism_rec.runs.folder import RunFolder

    return int(read_manifest(RunFolder(run).data / MANIFEST)["counts"]["items"])


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
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.vectors_file import given_features
    from prism_rec.recommend.new_items import without_vectors

    with reading(str(items)):
        frame = scan_table(items).collect()
    known = recommender.dataset.number_of_items
    recommender.add_items(
        frame,
        given_features(features, columns),
        columns=columns,
        pictures=pictures,
        skip_known=skip_known,
        events=events,
    )
    dataset = recommender.dataset
    bare = without_vectors(dataset, known)
    if len(bare):
        events.note(
            f"note: {len(bare)} of {dataset.number_of_items - known} new items have no vectors, first {bare[0]}: "
            "they all get the same score; give --features, or the columns that texts and words come from"
        )
