"""The stage `prepare`: a raw log, and vectors if there are any, to a dataset folder."""

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_core import to_jsonable_python

from prism_rec.config import Config
from prism_rec.data.card.page import CARDS, write_card
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE
from prism_rec.data.principal_axes import PrincipalAxes
from prism_rec.data.sources import Source
from prism_rec.data.split import LeaveOneOut, SplitRule
from prism_rec.events import Events
from prism_rec.features.vectors_file import files_of, given_features, places_from
from prism_rec.files import locked
from prism_rec.folders import check_folder
from prism_rec.inputs import checked
from prism_rec.stages.chain import Step, recorded, run_chain


class Prepare(Config):
    """How a raw log becomes a dataset."""

    source: Source
    """The format of the raw log."""
    features: dict[str, str] = Field(default_factory=dict)
    """NAME=FILE[:IDS]: the vectors of one modality. FILE is a folder of embed, a table .parquet with the column of item
    ids (see `columns`), or a file .npy, .safetensors or .pt; its ids are in IDS, one per line (default: FILE with the
    ending .ids.txt)."""
    allow_unknown_features: bool = False
    """Skip vectors of items that neither log nor items have, instead of refusing them."""
    vectors: PrincipalAxes = PrincipalAxes()
    """How vectors are changed; the map is kept with the dataset, so that new items get the same one."""
    cleaning: Cleaning = Cleaning()
    """Which events, users and items are dropped."""
    split: SplitRule = LeaveOneOut()
    """How histories are cut into training, validation and test."""


@checked
def prepare(settings: Prepare, out: Path, events: Events = Events(), *, replace: bool = False) -> Dataset:
    """Read a raw log, clean and split it, align its features, and write a dataset and its card.

    Nothing is done if it was done before with the same settings and files. If files have changed, the dataset is made
    again. Nothing is written before everything is read and checked.

    Args:
        settings: source, features, cleaning and split.
        out: the folder to write; new, empty, or with a dataset of the same settings.
        events: hears what is done.
        replace: replace a dataset of other settings too.

    Returns:
        The dataset in the folder.

    Raises:
        InputError: a file or setting is wrong, or the folder has something else, has an input, or is in use.
    """
    step = prepare_step(settings, out, events)
    check_folder(out, STAGE, step.inputs)
    with locked(out):
        run_chain([step], out, events, replace)
        return Dataset.load(out)


def prepare_step(settings: Prepare, out: Path, events: Events) -> Step:
    """Return `prepare` as a step of a chain.

    Raises:
        DataError: the source's files are not found.
    """
    files = list(settings.source.files())
    files += [file for given in settings.features.values() for file in files_of(given)]

    def run() -> None:
        task = f"reading {files[0].name if files else settings.source.kind}"
        events.begin(task)
        log = settings.source.read()
        vectors = given_features(settings.features, getattr(settings.source, "columns", {}))
        dataset = Dataset.from_log(
            log, settings.cleaning, settings.split, vectors, settings.allow_unknown_features
        ).with_axes(settings.vectors)
        dataset.save(out, {"source": _without_folders(settings.source.model_dump())}, files, CARDS)
        write_card(dataset, out)
        events.end(task)
        if absent := dataset.number_left_out("item"):
            events.note(
                f"note: {absent:,} items of the log or the catalogue have too few events for a place in the model; "
                "after training, `prism-rec add-items` ranks them by their contents"
            )

    return Step(
        name="prepare",
        folder=out,
        stage=STAGE,
        settings=recorded(settings, out) | {"features": places_from(out, settings.features)},
        inputs=tuple(files),
        run=run,
    )


def _without_folders(settings: dict[str, Any]) -> Any:
    """Return settings as JSON values, every path only by its name: a dataset does not record where its files were."""
    return to_jsonable_python({key: _without_folder(value) for key, value in settings.items()})


def _without_folder(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_without_folder, value))
    return value.name if isinstance(value, Path) else value
