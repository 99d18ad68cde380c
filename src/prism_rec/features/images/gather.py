"""The stage: a table of items and sources to a folder of checked pictures, which the package describes."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.errors import InputError
from prism_rec.features.images import JOURNAL, PICTURES, STAGE
from prism_rec.features.images.journal import Journal, require_settings
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.images.pictures import PictureStore, quiet_decoders
from prism_rec.features.images.sources import read_sources
from prism_rec.features.images.table import tabulate
from prism_rec.features.images.visits import Progress, Visits
from prism_rec.folders import begin_folder, finish_folder, replacing

_SOURCES = "sources.parquet"


def gather_images(
    sources: Any,
    out: Path,
    options: GatherOptions | None = None,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Gather one picture an item into a folder, going on from whatever an earlier run left there.

    A source is a URL or the name of a photo in `options.local`. An item's sources are tried in order until
    one yields a picture, and with a picture the item is done; photos at hand are read before anything is
    fetched. A source shared by several items is visited once.

    The run may be killed at any moment: called again, it visits nothing whose outcome was recorded and is
    settled (`GatherOptions` tells which are). From a running event loop, such as a notebook's, call it in a
    thread.

    Args:
        sources: a path to a table, or a frame; None for the table that the folder was made from.
        out: the folder; new, empty, or of an earlier run with the same `size`.
        options: the settings.
        progress: called with the numbers done and to do, of local photos first and then of items to fetch.

    Returns:
        the folder.

    Raises:
        InputError: the table, the local photos or the folder cannot be used as asked, or the disk is full.
    """
    options = options or GatherOptions()
    items = _read_items(sources, out, options)
    settings = {"journal": 1, "size": options.size}
    require_settings(out / JOURNAL, settings)
    try:
        begin_folder(out, STAGE)
        with Journal(out / JOURNAL, settings) as journal:
            _write_table(items, out / _SOURCES)
            _visit(items, out, journal, options, progress)
            pictures = tabulate(items, journal.outcomes)
        _write_table(pictures, out / PICTURES)
    except OSError as error:
        raise InputError(
            f"{out}: {error.strerror or error}; mend that and run again, what is done is kept"
        ) from None
    finish_folder(
        out,
        STAGE,
        config=options.model_dump(mode="json") | {"local": options.local and options.local.name},
        files=(PICTURES, _SOURCES, JOURNAL),
        inputs=[Path(sources)] if isinstance(sources, str | Path) else (),
        items=dict(pictures["status"].value_counts().iter_rows()),
    )
    return out


def _read_items(sources: Any, out: Path, options: GatherOptions) -> pl.DataFrame:
    if sources is not None:
        return read_sources(sources, options.item_column, options.source_column)
    if not (out / _SOURCES).is_file():
        raise InputError(f"{out} holds no {_SOURCES} of an earlier run; name the table")
    return read_sources(out / _SOURCES, "item_id", "sources")


def _write_table(table: pl.DataFrame, path: Path) -> None:
    with replacing(path) as partial:
        table.write_parquet(partial)


def _visit(
    items: pl.DataFrame, out: Path, journal: Journal, options: GatherOptions, progress: Progress
) -> None:
    partial = out / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    threads = options.decoders or min(8, os.cpu_count() or 1)
    with quiet_decoders(), ThreadPoolExecutor(threads) as decoders:
        visits = Visits(journal, PictureStore(out, options.size, options.max_pixels), decoders, options)
        sources = items["sources"].to_list()
        visits.read_local(sources, progress)
        visits.fetch_web(sources, progress)
    partial.rmdir()
