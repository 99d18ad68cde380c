"""Gathers pictures into a folder, which the package describes; safe to kill and to call again."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import polars as pl

from prism_rec.events import Events
from prism_rec.features.images import JOURNAL, PICTURES, SOURCES, STAGE
from prism_rec.features.images.journal import Journal, require_settings
from prism_rec.features.images.pictures import PARTIAL, PictureStore, quiet_decoders, remove_partial
from prism_rec.features.images.settings import Gathering
from prism_rec.features.images.sources import recorded
from prism_rec.features.images.table import tabulate
from prism_rec.features.images.visits import Visits
from prism_rec.files import locked, replacing
from prism_rec.folders import begin_folder, check_folder, finish_folder


def gather(
    items: pl.DataFrame,
    settings: Gathering,
    out: Path,
    inputs: Iterable[Path] = (),
    events: Events = Events(),
) -> None:
    """Gather one picture per item into a folder, continuing the work of an earlier run.

    Args:
        items: `item_id`, `sources` (a list).
        settings: the limits.
        out: the folder; new, empty, or of an earlier run with the same `size`.
        inputs: files that the items came from, for the manifest.
        events: hears of the tasks `photos` (local) and `pictures` (from the web).

    Raises:
        FolderError: another run writes the folder, it has something else or an input, or was made with another size.
        DataError: the archive of local photos is damaged.
    """
    kept = {"journal": 2, "size": settings.size}
    inputs = list(inputs)
    check_folder(out, STAGE, [*inputs, *([settings.local] if settings.local else [])])
    require_settings(out / JOURNAL, kept)
    files, folders = (PICTURES, SOURCES, JOURNAL), ("pictures", PARTIAL)
    with locked(out):
        begin_folder(out, STAGE, (*files, *folders))
        with Journal(out / JOURNAL, kept) as journal:
            if journal.damaged:
                events.note(
                    f"{out}: {journal.damaged} damaged outcomes or pictures; their sources are visited again"
                )
            known_by = recorded(items)
            _write_table(known_by, out / SOURCES)
            _visit(items, out, journal, settings, events)
            pictures = tabulate(known_by, journal.outcomes)
        _write_table(pictures, out / PICTURES)
        finish_folder(
            out,
            STAGE,
            config=settings.model_dump(mode="json", include=set(Gathering.model_fields))
            | {"local": settings.local and settings.local.name},
            files=files,
            inputs=inputs,
            kept=folders,
            items=dict(pictures["status"].value_counts().iter_rows()),
        )


def _write_table(table: pl.DataFrame, path: Path) -> None:
    with replacing(path) as partial:
        table.write_parquet(partial)


def _visit(items: pl.DataFrame, out: Path, journal: Journal, settings: Gathering, events: Events) -> None:
    partial = out / PARTIAL
    partial.mkdir(exist_ok=True)
    remove_partial(partial)
    threads = settings.decoders or min(8, os.cpu_count() or 1)
    with quiet_decoders(), ThreadPoolExecutor(threads) as decoders:
        store = PictureStore(out, settings.size, settings.max_pixels)
        visits = Visits(journal, store, decoders, settings, events)
        sources = items["sources"].to_list()
        visits.read_local(sources)
        visits.fetch_web(sources)
    with suppress(OSError):  # it has files of others
        partial.rmdir()
