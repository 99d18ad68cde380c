"""The Yelp Open Dataset: reviews, businesses and photos, each a file of one JSON object a line.

An item is a business. Its columns, as no publication says how texts and pictures were gathered:

title        the business's name
categories   its categories in Yelp's order, `Restaurants, Pizza`
attributes   what is true of it, in plain words: `wi fi free`, `good for kids`, `ambience casual`
city, state  where it is
images       its photos' file names, food first, then inside, outside, drink, and menus last; equal labels in
             file order. Food and rooms tell one business from another; a menu is a picture of small print.

Businesses change and their fields are of the day of the dump, so they know a little of the future.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.chunks import read_lines_of
from prism_rec.data.sources.faults import Faults, sum_faults
from prism_rec.data.sources.fields import Fields, sentence, words
from prism_rec.data.sources.files import refuse
from prism_rec.data.sources.json_events import EventFields, read_events
from prism_rec.data.sources.json_items import ItemFormat, read_items
from prism_rec.data.sources.literals import parse_literal
from prism_rec.data.sources.records import UnreadableError, parse_json, text_id
from prism_rec.errors import InputError

_LABELS = ("food", "inside", "outside", "drink", "menu")
_MOST_PHOTOS = 10
_EVENTS = EventFields(user="user_id", item="business_id", time="date", rating="stars", unit="date")
_FILES = {
    "reviews": "yelp_academic_dataset_review.json",
    "items": "yelp_academic_dataset_business.json",
    "photos": "photos.json",
}


def read_yelp(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read reviews and, where given, businesses and photos; see `Source`.

    Args:
        interactions: the file of reviews, or a folder with all three files under their published names.
        items: the file of businesses.
        columns: no use.
        time: no use.
        photos: the list of photos, `photos.json`; the pictures themselves are not looked at.
    """
    refuse("yelp", columns=columns, time=time)
    if interactions.is_dir():
        refuse("yelp", items=items, photos=photos)
        interactions, items, photos = _find(interactions)
    if photos is not None and items is None:
        raise InputError("--photos needs the file of businesses; add --items")
    faults = [Faults(path) for path in (interactions, items, photos) if path is not None]
    events = read_events(faults[0], _EVENTS)
    described = None
    if items is not None:
        described = read_items(faults[1], ItemFormat("business_id", _describe), events["item_id"])
        if photos is not None:
            described = described.join(
                _read_photos(faults[2]), on="item_id", how="left", maintain_order="left"
            )
    return RawLog(
        events=events,
        items=described,
        time="absolute",
        files=tuple(fault.path for fault in faults),
        **sum_faults(faults),
    )


def _find(folder: Path) -> tuple[Path, Path | None, Path | None]:
    paths = {role: folder / name for role, name in _FILES.items()}
    if not paths["reviews"].is_file():
        raise InputError(f"{folder} holds no {_FILES['reviews']}; unpack the dataset there or name the files")
    business, photos = (paths[role] if paths[role].is_file() else None for role in ("items", "photos"))
    return paths["reviews"], business, photos if business else None


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
        raise UnreadableError("no object where one is expected")
    return (
        ", ".join(phrase for name, given in (value or {}).items() for phrase in _phrases(name, given)) or None
    )


def _phrases(name: str, value: Any) -> Iterator[str]:
    """Say what an attribute says, if it says yes: values are texts of Python literals, `u'free'`, `True`."""
    if isinstance(value, str):
        with suppress(ValueError):  # a plain word
            value = parse_literal(value)
    if value is True:
        yield _in_words(name)
    elif isinstance(value, dict):
        kinds = [_in_words(str(kind)) for kind, holds in value.items() if holds is True]
        if kinds:
            yield f"{_in_words(name)} {' '.join(kinds)}"
    elif isinstance(value, str | int | float) and value is not False and value != "none":
        yield f"{_in_words(name)} {_in_words(str(value))}"


def _in_words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return sentence(spaced.lower()) or ""


def _read_photos(faults: Faults) -> pl.DataFrame:
    rows = []
    for line, content in read_lines_of(faults):
        try:
            photo = parse_json(content)
            label = photo.get("label")
            rank = _LABELS.index(label) if label in _LABELS else len(_LABELS)
            rows.append((text_id(photo, "business_id"), f"{text_id(photo, 'photo_id')}.jpg", rank))
        except UnreadableError as reason:
            faults.leave_out(line, str(reason))
    found = pl.DataFrame(
        rows, schema={"item_id": pl.String, "images": pl.String, "rank": pl.Int64}, orient="row"
    )
    best_first = found.sort("rank", maintain_order=True)
    return best_first.group_by("item_id", maintain_order=True).agg(pl.col("images").head(_MOST_PHOTOS))
