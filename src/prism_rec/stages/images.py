"""The stage images: a table of items and sources -> a folder of checked pictures.

`prism_rec.features.images` describes the folder.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_rec.errors import FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.features.images import SOURCES
from prism_rec.features.images.settings import Gathering
from prism_rec.inputs import checked
from prism_rec.masking import MASK

if TYPE_CHECKING:
    import polars as pl


class Images(Gathering):
    """Which pictures are gathered, and how."""

    table: Path | None = None
    """Table (.parquet, .csv, .tsv) of item ids and URLs or names of photos. If an item has several, in a
    list, in several rows, or with | between them, the best comes first; they are tried in this order. Credentials in
    URLs are used and not stored. Default: the table that the folder was begun with."""

    def check(self) -> None:
        """Find the mistakes that can be found before anything is fetched.

        Raises:
            SettingsError: the local photos do not exist.
        """
        if self.local is not None and not self.local.exists():
            raise SettingsError(f"{self.local}: no such folder or archive of photos; check `local`")


@checked
def images(settings: Images, out: Path, events: Events = Events(), *, sources: Any = None) -> "pl.DataFrame":
    """Gather one checked picture per item into a folder, continuing the work of an earlier run.

    A source is a URL or the name of a photo in `local`. The sources of an item are tried in order until one gives a
    picture. Local photos are read before anything is fetched. A source that several items share is visited once.

    The run may be killed at any moment. The next run does not visit sources whose recorded outcome is settled: a
    stored picture, and a permanent failure (404, not a picture, too large, or a refused address unless
    `allow_private` is set now). In a running event loop, such as that of a notebook, call this function in a thread.

    Args:
        settings: the table and the limits.
        out: the folder; new, empty, or of an earlier run with the same `size`.
        events: hears of the tasks `photos` (local) and `pictures` (from the web).
        sources: a frame instead of `table`.

    Returns:
        How many items ended how: `status`, `reason`, `items`.

    Raises:
        InputError: the table, the local photos or the folder cannot be used, another run writes the folder, the
            disk is full, or a package of the extra `images` is missing.
    """
    try:
        from prism_rec.features.images.gather import gather
    except ModuleNotFoundError as error:
        raise SettingsError(f"images needs {error.name}: pip install 'prism-rec[images]'") from None
    from prism_rec.features.images.table import summarise

    settings.check()
    items = _read_items(settings, out, sources)
    gather(items, settings, out, [settings.table] if settings.table else [], events)
    return summarise(out)


def say_counts(counts: "pl.DataFrame") -> str:
    """Return in one line how many items ended how."""
    return "; ".join(
        f"{status}{f', {reason}' if reason else ''}: {items:,}"
        for status, reason, items in counts.iter_rows()
    )


def _read_items(settings: Images, out: Path, sources: Any) -> "pl.DataFrame":
    from prism_rec.features.images.sources import read_sources

    given = settings.table if sources is None else sources
    if given is not None:
        return read_sources(given, settings.source_column, settings.columns)
    if not (out / SOURCES).is_file():
        raise FolderError(f"{out} has no {SOURCES} of an earlier run; give `table`")
    items = read_sources(out / SOURCES, "sources")
    masked = items["sources"].explode().drop_nulls().str.contains(MASK, literal=True)
    if masked.any():
        raise FolderError(
            f"{out / SOURCES}: {masked.sum():,} addresses had credentials, which are not stored; give `table` again"
        )
    return items
