"""Preparing a log as one step of a chain: passed over where it was done before with the same settings and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from rich.console import Console

from prism_rec.config import Config
from prism_rec.data.bag import Bag
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset_folder import STAGE
from prism_rec.data.prepare import prepare
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.split import parse_rule
from prism_rec.features.chain import Step, files_in
from prism_rec.features.precomputed import files_of, read_precomputed


class PrepareOptions(Config):
    """How the log is read and cut; see `prism_rec.data.prepare.prepare`.

    Attributes:
        source: the format's name.
        interactions: the log; paths are taken from where the command runs.
        items: what describes the items.
        photos: Yelp's list of photos.
        features: vectors that there are already, by modality: what `read_precomputed` takes.
        bags: modalities made of the words of the items' columns, by name.
        allow_unknown_features: leave out vectors of items that neither log nor items know.
        columns: names of columns by role.
        time: what the times mean.
        cleaning: what is left out.
        split: the rule's name, or its name and parameters.
    """

    source: str
    interactions: Path
    items: Path | None = None
    photos: Path | None = None
    features: dict[str, str] = Field(default_factory=dict)
    bags: dict[str, Bag] = Field(default_factory=dict)
    allow_unknown_features: bool = False
    columns: dict[str, str] = Field(default_factory=dict)
    time: TimeKind | None = None
    cleaning: Cleaning = Cleaning()
    split: str | dict[str, Any] = "leave-one-out"


def prepare_step(given: PrepareOptions, out: Path, progress: bool = False) -> Step:
    """Return the step that makes the dataset folder `out`.

    Args:
        given: the settings.
        out: the folder to write.
        progress: show on a terminal that a log is being read.

    Raises:
        InputError: no such split.
    """
    rule = parse_rule(given.split)

    def run() -> None:
        with Console(stderr=True, quiet=not progress).status(f"reading {given.interactions}"):
            prepare(
                given.source,
                given.interactions,
                out,
                items=given.items,
                photos=given.photos,
                features=given.features,
                bags=given.bags,
                read=read_precomputed,
                columns=given.columns,
                time=given.time,
                cleaning=given.cleaning,
                rule=rule,
                allow_unknown_features=given.allow_unknown_features,
            )

    files = [
        file for path in (given.interactions, given.items, given.photos) if path for file in files_in(path)
    ]
    files += [file for vectors in given.features.values() for file in files_of(vectors)]
    return Step("prepare", out, STAGE, given.model_dump(mode="json"), tuple(files), run)
