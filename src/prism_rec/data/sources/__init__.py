"""Sources: one file a format of raw logs, one entry a source in `SOURCES`.

To add one: write `sources/NAME.py` with a function of the form `Source` and enter it below.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.movielens import read_movielens
from prism_rec.data.sources.table import read_table
from prism_rec.data.sources.text import read_text


class Source(Protocol):
    """Reads raw files; leaves nothing out."""

    def __call__(
        self, interactions: Path, items: Path | None, columns: Mapping[str, str], time: TimeKind | None
    ) -> RawLog:
        """Read a log.

        Args:
            interactions: the file or folder with the events.
            items: a file that describes items, where the source takes one.
            columns: names for the roles user, item, timestamp, rating, where the source has columns to name.
            time: what the timestamps mean, where the source cannot know; None: its usual kind.

        Raises:
            InputError: a file is missing or not of the format, or an argument is given that the source has no
                use for.
        """
        ...


SOURCES: dict[str, Source] = {"table": read_table, "movielens": read_movielens, "text": read_text}
