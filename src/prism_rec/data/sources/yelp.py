"""The Yelp Open Dataset: reviews, businesses and photos, one file of each, with one JSON object per line.

An item is a business. No publication says how texts and pictures were gathered. Here an item has the columns

title        the business's name
categories   its categories in Yelp's order, `Restaurants, Pizza`
attributes   its attributes in plain words: `wi fi free`, `good for kids`, `ambience casual`
city, state  its place
images       the file names of its photos by label: food first, then inside, outside, drink and menu; equal labels in
             file order. Food and rooms distinguish businesses; a menu is a picture of small print.

The fields of a business are of the day of the dump, so they contain some knowledge of the future.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl
from pydantic import model_validator

from prism_rec.config import Config
from prism_rec.data.raw_log import RawLog
from prism_rec.data.sources.files import check_is_folder
from prism_rec.data.sources.lines.fields import Fields, sentence, words
from prism_rec.data.sources.lines.json_events import EventFields, read_events
from prism_rec.data.sources.lines.json_items import ItemFormat, read_items
from prism_rec.data.sources.lines.literals import parse_literal
from prism_rec.data.sources.lines.reader import LineReader, count_problems
from prism_rec.data.sources.lines.records import UnreadableError, parse_json, text_id
from prism_rec.errors import DataError

_LABELS = ("food", "inside", "outside", "drink", "menu")
_MOST_PHOTOS = 10
_EVENTS = EventFields(user="user_id", item="business_id", time="date", rating="stars", unit="date")
_FILES = {
    "reviews": "yelp_academic_dataset_review.json",
    "businesses": "yelp_academic_dataset_business.json",
    "photos": "photos.json",
}


class Yelp(Config):
    """The Yelp Open Dataset: a folder with its files, or the files one by one."""

    kind: Literal["yelp"] = "yelp"
    """Name of the source."""
    folder: Path | None = None
    """The folder with the files yelp_academic_dataset_review.json and, if there are any, ..._business.json and
    photos.json."""
    reviews: Path | None = None
    """The file of reviews, if no folder is given; gzipped or not."""
    businesses: Path | None = None
    """The file of businesses."""
    photos: Path | None = None
    """The file that lists the photos, photos.json; the pictures themselves are not read."""

    @model_validator(mode="after")
    def _names_the_reviews_once(self) -> Self:
        if (self.folder is None) == (self.reviews is None):
            raise ValueError("give either `folder` or `reviews`")
        if self.folder is not None and (self.businesses or self.photos):
            raise ValueError("`businesses` and `photos` are read from `folder`; leave them out")
        if self.photos is not None and self.businesses is None:
            raise ValueError("`photos` needs the file of businesses; add `businesses`")
        return self

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: no such folder, or no reviews in it.
        """
        return tuple(self._paths().values())

    def read(self) -> RawLog:
        """Read the reviews and, if there are files of them, the businesses and photos.

        Raises:
            DataError: a file is missing, cut short or of another format.
        """
        readers = {name: LineReader(path) for name, path in self._paths().items()}
        events = read_events(readers["reviews"], _EVENTS)
        items = None
        if "businesses" in readers:
            items = read_items(readers["businesses"], ItemFormat("business_id", _describe), events["item_id"])
            if "photos" in readers:
                photos = _read_photos(readers["photos"])
                items = items.join(photos, on="item_id", how="left", maintain_order="left")
        reviews, *others = readers.values()
        return RawLog(events=events, items=items, time="absolute", **count_problems(reviews, others))

    def _paths(self) -> dict[str, Path]:
        if self.folder is None:
            given = {name: getattr(self, name) for name in _FILES}
            return {name: path for name, path in given.items() if path is not None}
        check_is_folder(self.folder, _FILES["reviews"])
        paths = {name: self.folder / file for name, file in _FILES.items() if (self.folder / file).is_file()}
        if "reviews" not in paths:
            raise DataError(
                f"{self.folder} has no {_FILES['reviews']}; unpack the dataset there or name the files"
            )
        if "businesses" not in paths:
            paths.pop("photos", None)
        return paths


def _describe(fields: Fields) -> dict[str, Any]:
    return {
        "title": fields.read("name", sentence),
        "categories": fields.read("categories", _categories),
        "attributes": fields.read("attributes", _attributes),
        "city": fields.read("city", sentence),
        "state": fields.read("state", sentence),
    }


def _categories(value: Any) -> str | None:
    return ", ".join(words(value.split(",") if isinstance(value, str) else value)) or None


def _attributes(value: Any) -> str | None:
    if not isinstance(value, dict | None):
        raise UnreadableError("expected an object")
    return (
        ", ".join(phrase for name, given in (value or {}).items() for phrase in _phrases(name, given)) or None
    )


def _phrases(name: str, value: Any) -> Iterator[str]:
    """Yield an attribute in words unless it is negative; values are texts of Python literals, `u'free'`, `True`."""
    if isinstance(value, str):
        with suppress(ValueError):  # a plain word is not a literal
            value = parse_literal(value)
    if value is True:
        yield _in_words(name)
    elif isinstance(value, dict):
        kinds = [_in_words(str(kind)) for kind, applies in value.items() if applies is True]
        if kinds:
            yield f"{_in_words(name)} {' '.join(kinds)}"
    elif isinstance(value, str | int | float) and value is not False and value != "none":
        yield f"{_in_words(name)} {_in_words(str(value))}"


def _in_words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return sentence(spaced.lower()) or ""


def _read_photos(reader: LineReader) -> pl.DataFrame:
    rows = []
    for line, content in reader:
        try:
            photo = parse_json(content)
            label = photo.get("label")
            rank = _LABELS.index(label) if label in _LABELS else len(_LABELS)
            rows.append((text_id(photo, "business_id"), f"{text_id(photo, 'photo_id')}.jpg", rank))
        except UnreadableError as reason:
            reader.skip(line, str(reason))
    found = pl.DataFrame(
        rows, schema={"item_id": pl.String, "images": pl.String, "rank": pl.Int64}, orient="row"
    )
    best_first = found.sort("rank", maintain_order=True)
    return best_first.group_by("item_id", maintain_order=True).agg(pl.col("images").head(_MOST_PHOTOS))
