"""Folders as GroupLens publishes them: `ratings.csv` (latest, 20M to 32M) or `ratings.dat` (1M, 10M)."""

from pathlib import Path
from typing import Literal

import polars as pl

from prism_rec.config import Config
from prism_rec.data.frames import entities_from, events_from
from prism_rec.data.raw_log import RawLog
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import check_is_folder, read_lines, scan_table
from prism_rec.errors import DataError

_ROLES = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}
_COLUMNS = {
    "ratings": ("userId", "movieId", "rating", "timestamp"),
    "movies": ("movieId", "title", "genres"),
    "tags": ("userId", "movieId", "tag", "timestamp"),
}


class MovieLens(Config):
    """A MovieLens dataset of GroupLens: ratings, films and, if there are any, tags."""

    kind: Literal["movielens"] = "movielens"
    """Name of the source."""
    folder: Path
    """The unpacked folder, with ratings.csv or ratings.dat."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: no such folder, or no ratings or films in it.
        """
        return tuple(self._paths().values())

    def read(self) -> RawLog:
        """Read the ratings, films and tags.

        An item has `title`, `genres` and, with a file of tags, `tags`. Genres and tags are written `one, another`,
        null if there are none. The tags of a film are those of all users and all times, each once, oldest first.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        paths = self._paths()
        ratings, movies = paths["ratings"], paths["movies"]
        films = _read(movies, "movies").select("movieId", "title", _as_list("genres"))
        if "tags" in paths:
            tags = _join_tags(_read(paths["tags"], "tags"))
            films = films.join(tags, on="movieId", how="left", maintain_order="left")
        return RawLog(
            events=events_from(_scan(ratings, "ratings"), _ROLES, "absolute", str(ratings)),
            items=entities_from(films, "item_id", _ROLES, str(movies)),
            time="absolute",
        )

    def _paths(self) -> dict[str, Path]:
        check_is_folder(self.folder, "ratings.csv or ratings.dat")
        paths = {name: path for name in _COLUMNS if (path := _find(self.folder, name))}
        for name in ("ratings", "movies"):
            if name not in paths:
                raise DataError(
                    f"{self.folder} has no {name}.csv, {name}.csv.gz or {name}.dat; unpack the whole archive"
                )
        return paths


def _find(folder: Path, name: str) -> Path | None:
    candidates = [folder / f"{name}{ending}" for ending in (".csv", ".csv.gz", ".dat")]
    return next((path for path in candidates if path.is_file()), None)


def _scan(path: Path, name: str) -> pl.LazyFrame:
    if path.suffix != ".dat":
        return scan_table(path)
    columns = _COLUMNS[name]
    fields = pl.col("line").str.splitn("::", len(columns)).struct.rename_fields(columns)
    lines = read_lines(path, encodings=("utf-8-sig", "latin-1"))  # 1M is in Latin-1, 10M in UTF-8
    return lines.to_frame().lazy().select(fields).unnest("line")


def _read(path: Path, name: str) -> pl.DataFrame:
    with reading(str(path)):
        frame = _scan(path, name).collect()
    for column in _COLUMNS[name]:
        if column not in frame.columns:
            raise DataError(
                f"{path} has no column {column!r} (found: {', '.join(frame.columns)}); download it again"
            )
    return frame


def _as_list(column: str) -> pl.Expr:
    text = pl.col(column).str.replace_all("|", ", ", literal=True)
    return pl.when(text != "(no genres listed)").then(text).alias(column)


def _join_tags(tags: pl.DataFrame) -> pl.DataFrame:
    given = tags.drop_nulls("tag").sort(pl.col("timestamp").cast(pl.Int64, strict=False), maintain_order=True)
    distinct = given.unique(["movieId", "tag"], keep="first", maintain_order=True)
    return distinct.group_by("movieId").agg(pl.col("tag").str.join(", ").alias("tags"))
