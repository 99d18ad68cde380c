"""Folders as GroupLens publishes them: `ratings.csv` (latest, 20M to 32M) or `ratings.dat` (1M, 10M)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.frames import entities_from, events_from
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import read_lines, refuse, scan_table
from prism_rec.errors import InputError

_ROLES = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}
_COLUMNS = {
    "ratings": ("userId", "movieId", "rating", "timestamp"),
    "movies": ("movieId", "title", "genres"),
    "tags": ("userId", "movieId", "tag", "timestamp"),
}


def read_movielens(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read the ratings, the films and, where there are any, the tags of a folder; see `Source`.

    An item's columns are `title`, `genres` and, with a tags file, `tags`; the last two as `one, another`,
    null where there are none. A film's tags are those of all users and all times, each once, oldest first.
    """
    refuse("movielens", items=items, columns=columns, time=time, photos=photos)
    if not interactions.is_dir():
        raise InputError(
            f"{interactions} is no folder; give the folder that holds ratings.csv or ratings.dat"
        )
    ratings, movies, tags = (_find(interactions, name) for name in _COLUMNS)
    if ratings is None or movies is None:
        missing = "ratings" if ratings is None else "movies"
        raise InputError(
            f"{interactions} holds no {missing}.csv, {missing}.csv.gz or {missing}.dat; unpack it whole"
        )
    films = _read(movies, "movies").select("movieId", "title", _as_list("genres"))
    if tags is not None:
        films = films.join(_join_tags(_read(tags, "tags")), on="movieId", how="left", maintain_order="left")
    return RawLog(
        events=events_from(_scan(ratings, "ratings"), _ROLES, "absolute", str(ratings)),
        items=entities_from(films, "item_id", _ROLES, str(movies)),
        time="absolute",
        files=tuple(path for path in (ratings, movies, tags) if path is not None),
    )


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
            raise InputError(
                f"{path} has no column {column!r} (found: {', '.join(frame.columns)}); fetch it again"
            )
    return frame


def _as_list(column: str) -> pl.Expr:
    text = pl.col(column).str.replace_all("|", ", ", literal=True)
    return pl.when(text != "(no genres listed)").then(text).alias(column)


def _join_tags(tags: pl.DataFrame) -> pl.DataFrame:
    given = tags.drop_nulls("tag").sort(pl.col("timestamp").cast(pl.Int64, strict=False), maintain_order=True)
    distinct = given.unique(["movieId", "tag"], keep="first", maintain_order=True)
    return distinct.group_by("movieId").agg(pl.col("tag").str.join(", ").alias("tags"))
