"""Sources: one file a format of raw logs, one entry a source in `SOURCES`.

To add one: write `sources/NAME.py` with a function of the form `Source`, enter it below, and name it among
the sources of `cli/prepare.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.amazon import amazon_2014, amazon_2018, amazon_2023
from prism_rec.data.sources.mmrec import read_mmrec
from prism_rec.data.sources.movielens import read_movielens
from prism_rec.data.sources.recbole import read_recbole
from prism_rec.data.sources.table import read_table
from prism_rec.data.sources.text import read_text
from prism_rec.data.sources.yelp import read_yelp


class Source(Protocol):
    """Reads raw files; leaves nothing out but lines that cannot be read, which it counts."""

    def __call__(
        self,
        interactions: Path,
        items: Path | None,
        columns: Mapping[str, str],
        time: TimeKind | None,
        photos: Path | None = None,
    ) -> RawLog:
        """Read a log.

        Args:
            interactions: the file or folder with the events.
            items: a file that describes items, where the source takes one.
            columns: names for the roles user, item, timestamp, rating, where the source has columns to name.
            time: what the timestamps mean, where the source cannot know; None: its usual kind.
            photos: a file that lists the items' photos, where the source has one.

        Raises:
            InputError: a file is missing or not of the format, or an argument is given that the source has no
                use for.
        """
        ...


SOURCES: dict[str, Source] = {
    "table": read_table,
    "movielens": read_movielens,
    "text": read_text,
    "amazon-2014": amazon_2014,
    "amazon-2018": amazon_2018,
    "amazon-2023": amazon_2023,
    "yelp": read_yelp,
    "recbole": read_recbole,
    "mmrec": read_mmrec,
}
