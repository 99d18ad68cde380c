"""The stage prepare, as one step of a chain."""

from pathlib import Path
from typing import Any

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset_folder import STAGE
from prism_rec.data.prepare import prepare as read_and_split
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.split import parse_rule
from prism_rec.events import Events
from prism_rec.features.vectors_file import files_of, read_vectors_file
from prism_rec.stages.chain import Step, files_in


class Prepare(Config):
    """How the log is read, cleaned and split."""

    source: str
    """Name of the format."""
    interactions: Path
    """The log. Paths are relative to the folder in which the command runs."""
    items: Path | None = None
    """What describes the items."""
    photos: Path | None = None
    """The list of photos of Yelp."""
    features: dict[str, str] = Field(default_factory=dict)
    """Vectors that exist already, by modality."""
    allow_unknown_features: bool = False
    """Skip vectors of items that are neither in the log nor among the items."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Names of columns by role."""
    time: TimeKind | None = None
    """What the times mean."""
    cleaning: Cleaning = Cleaning()
    """What is dropped."""
    split: str | dict[str, Any] = "leave-one-out"
    """Name of the rule, or its name and parameters."""


def prepare(settings: Prepare, out: Path) -> None:
    """Make the dataset folder `out`."""
    read_and_split(
        settings.source,
        settings.interactions,
        out,
        items=settings.items,
        photos=settings.photos,
        features=settings.features,
        read=read_vectors_file,
        columns=settings.columns,
        time=settings.time,
        cleaning=settings.cleaning,
        rule=parse_rule(settings.split),
        allow_unknown_features=settings.allow_unknown_features,
    )


def prepare_step(settings: Prepare, out: Path, events: Events) -> Step:
    """Return the step that makes the dataset folder `out`.

    Raises:
        InputError: no such split.
    """
    parse_rule(settings.split)
    given = (settings.interactions, settings.items, settings.photos)
    files = [file for path in given if path for file in files_in(path)]
    files += [file for vectors in settings.features.values() for file in files_of(vectors)]

    def run() -> None:
        events.begin(f"reading {settings.interactions.name}")
        prepare(settings, out)
        events.end(f"reading {settings.interactions.name}")

    return Step("prepare", out, STAGE, settings.model_dump(mode="json"), tuple(files), run)
