"""Folders of GroupLens: `ratings.csv` (latest, 20M to 32M), `ratings.dat` (1M, 10M) or `u.data` (100K)."""

from pathlib import Path
from typing import Literal

import polars as pl

from prism_rec.config import Config
from prism_rec.data.event_table import events_from
from prism_rec.data.frames import entities_from
from prism_rec.data.raw_log import RawLog
from prism_rec.data.reading import reading
from prism_rec.data.sources.delimited import open_delimited
from prism_rec.data.sources.files import check_is_folder, read_lines, scan_table
from prism_rec.errors import DataError

_ROLES = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}
_COLUMNS = {
    "ratings": ("userId", "movieId", "rating", "timestamp"),
    "movies": ("movieId", "title", "genres"),
    "tags": ("userId", "movieId", "tag", "timestamp"),
}
_OF_100K = {"ratings": "u.data", "movies": "u.item"}
_GENRES = (
    *("Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy"),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
"""Of 100K, in the order of the last columns of u.item."""


class MovieLens(Config):
    """A MovieLens dataset of GroupLens: ratings, films and, if there are any, tags."""

    kind: Literal["movielens"] = "movielens"
    """Name of the source."""
    folder: Path
    """The unpacked folder, with ratings.csv, ratings.dat or u.data."""

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
        table = events_from(_scan(ratings, "ratings"), _ROLES, "absolute", str(ratings))
        return table.as_log(items=entities_from(films, "item_id", _ROLES, str(movies)))

    def _paths(self) -> dict[str, Path]:
        check_is_folder(self.folder, "ratings.csv, ratings.dat or u.data")
        paths = {name: path for name in _COLUMNS if (path := _find(self.folder, name))}
        for name in ("ratings", "movies"):
            if name not in paths:
                raise DataError(
                    f"{self.folder} has no {name}.csv, {name}.csv.gz, {name}.dat or {_OF_100K[name]}; "
                    "unpack the whole archive"
                )
        return paths


def _find(folder: Path, name: str) -> Path | None:
    names = [*(f"{name}{ending}" for ending in (".csv", ".csv.gz", ".dat")), _OF_100K.get(name, "")]
    return next((folder / file for file in names if (folder / file).is_file()), None)


def _scan(path: Path, name: str) -> pl.LazyFrame:
    if path.name == "u.item":
        return _scan_films_of_100k(path)
    if path.name == "u.data":
        scan = open_delimited(path, separator="\t", header=False, quote=None).scan
        names = scan.collect_schema().names()
        return scan.rename(dict(zip(names, _COLUMNS[name], strict=False)))
    if path.suffix != ".dat":
        return scan_table(path)
    columns = _COLUMNS[name]
    fields = pl.col("line").str.splitn("::", len(columns)).struct.rename_fields(columns)
    lines, _ = read_lines(path)  # 1M is in Latin-1, 10M in UTF-8
    return lines.to_frame().lazy().select(fields).unnest("line")


def _scan_films_of_100k(path: Path) -> pl.LazyFrame:
    lines, _ = read_lines(path)
    fields = (
        lines.str.strip_chars()
        .to_frame()
        .filter(pl.col("line") != "")
        .select(pl.col("line").str.split("|"))
        .to_series()
    )
    # After id, title, two dates and an address comes a flag for unknown genres, then one for each genre.
    flags = fields.list.slice(6).list.eval(pl.element() == "1")
    genres = [
        "|".join(genre for genre, applies in zip(_GENRES, row, strict=False) if applies) or None
        for row in flags.to_list()
    ]
    films = {"movieId": fields.list.get(0), "title": fields.list.get(1, null_on_oob=True), "genres": genres}
    return pl.DataFrame(films, schema_overrides={"genres": pl.String}).lazy()


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
