"""The stage `prepare`: raw logs and features to a dataset folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.bag import Bag
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE
from prism_rec.data.feature_files import read_features
from prism_rec.data.feature_table import Matrix
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.sources import SOURCES
from prism_rec.data.split import LeaveOneOut, SplitRule
from prism_rec.errors import InputError
from prism_rec.folders import check_folder

FeatureReader = Callable[[str], tuple[Matrix, pl.Series, tuple[Path, ...]]]


def prepare(
    source: str,
    interactions: Path,
    out: Path,
    *,
    items: Path | None = None,
    photos: Path | None = None,
    features: Mapping[str, str] | None = None,
    bags: Mapping[str, Bag] | None = None,
    read: FeatureReader = read_features,
    columns: Mapping[str, str] | None = None,
    time: TimeKind | None = None,
    cleaning: Cleaning | None = None,
    rule: SplitRule | None = None,
    allow_unknown_features: bool = False,
) -> Dataset:
    """Read a raw log, clean and split it, align its features, and write all of it to a folder.

    Nothing is written before everything has been read and checked.

    Args:
        source: a name in `SOURCES`.
        interactions: the source's file or folder.
        out: the folder to write; an earlier dataset there is replaced.
        items: a file that describes items.
        photos: a file that lists the items' photos.
        features: for each modality what `read` takes.
        bags: modalities made of the words of the items' columns, by name.
        read: returns matrix, ids and the files read; by default `feature_files.read_features` of `FILE` or
            `FILE:IDS`. `prism_rec.features.precomputed.read_precomputed` takes folders of `embed` too.
        columns: the files' names for the roles user, item, timestamp, rating.
        time: what timestamps mean, where the source leaves that open.
        cleaning: what to leave out; by default a user's repeated events with one item.
        rule: how to split; leave-one-out by default.
        allow_unknown_features: count feature ids that neither log nor items know, rather than refuse.

    Returns:
        The dataset as written.

    Raises:
        InputError: anything wrong with the files or the arguments.
    """
    if source not in SOURCES:
        raise InputError(f"unknown source {source!r}; choose one of {', '.join(SOURCES)}")
    check_folder(out, STAGE)
    columns = columns or {}
    log = SOURCES[source](interactions, items, columns, time, photos)
    vectors: dict[str, Any] = dict(bags or {})
    files = list(log.files)
    for name, given in (features or {}).items():
        matrix, ids, paths = read(given)
        vectors[name] = (matrix, ids)
        files += paths
    cleaning, rule = cleaning or Cleaning(), rule or LeaveOneOut()
    dataset = Dataset.from_log(log, cleaning, rule, vectors, allow_unknown_features)
    dataset.save(out, config={"source": source, "columns": dict(columns)}, inputs=files)
    return dataset
