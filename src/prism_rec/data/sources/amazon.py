"""Amazon Reviews as published in 2014, 2018 and 2023: files of reviews and, beside them, of metadata.

Reviews need not be sorted: rows stay in file order. Texts are left in the columns `title`, `description`,
`brand` and `categories` (the first path, from the widest to the narrowest), to be joined by whoever encodes
them; `images` lists the addresses of a product's picture, the one to try first in front.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.faults import Faults, sum_faults
from prism_rec.data.sources.fields import Fields, first_path, plain_texts, sentence, words
from prism_rec.data.sources.files import refuse
from prism_rec.data.sources.json_events import EventFields, read_events
from prism_rec.data.sources.json_items import ItemFormat, read_items
from prism_rec.data.sources.records import UnreadableError, parse_json, parse_json_or_literal

_SIZES_2023 = ("large", "hi_res", "thumb")  # `large`, about 500 pixels, is as much as an encoder can use


@dataclass(frozen=True)
class AmazonSource:
    """One edition as a `Source`."""

    name: str
    events: EventFields
    items: ItemFormat

    def __call__(
        self,
        interactions: Path,
        items: Path | None,
        columns: Mapping[str, str],
        time: TimeKind | None,
        photos: Path | None = None,
    ) -> RawLog:
        """Read reviews and, where given, metadata; see `Source`."""
        refuse(self.name, columns=columns, time=time, photos=photos)
        faults = [Faults(path) for path in (interactions, items) if path is not None]
        events = read_events(faults[0], self.events)
        if self.events.unit == "ms":
            events = events.with_columns(timestamp=events["timestamp"] / 1000)
        return RawLog(
            events=events,
            items=None if items is None else read_items(faults[1], self.items, events["item_id"]),
            time="absolute",
            files=tuple(fault.path for fault in faults),
            **sum_faults(faults),
        )


def _describe_2014(fields: Fields) -> dict[str, Any]:
    return {
        "title": fields.read("title", sentence),
        "description": fields.read("description", sentence),
        "brand": fields.read("brand", sentence),
        "categories": fields.read("categories", first_path),
        "images": fields.read("imUrl", plain_texts),
    }


def _describe_2018(fields: Fields) -> dict[str, Any]:
    return {
        "title": fields.read("title", _title_2018),
        "description": fields.read("description", sentence),
        "brand": fields.read("brand", _brand_2018),
        "categories": fields.read("category", _categories_2018),
        "images": fields.read("imageURLHighRes", plain_texts) + fields.read("imageURL", plain_texts),
    }


def _describe_2023(fields: Fields) -> dict[str, Any]:
    return {
        "title": fields.read("title", sentence),
        "description": fields.read("description", sentence),
        "brand": fields.read("details", _brand_2023) or fields.read("store", sentence),
        "categories": fields.read("categories", first_path),
        "images": fields.read("images", _images_2023),
    }


def _title_2018(value: Any) -> str | None:
    title = sentence(value)
    return None if title and "getTime" in title else title  # scripts of the page that ended up in the title


def _brand_2018(value: Any) -> str | None:
    return sentence(value.removeprefix("by\n") if isinstance(value, str) else value)


def _categories_2018(value: Any) -> list[str]:
    path = words(value)
    markup = next((place for place, part in enumerate(path) if "<" in part), len(path))
    return path[:markup]  # what follows the first tag is the page's text, no category


def _brand_2023(value: Any) -> str | None:
    if value is not None and not isinstance(value, dict):
        raise UnreadableError("no object where one is expected")
    return sentence((value or {}).get("Brand"))


def _images_2023(value: Any) -> list[str]:
    """Return addresses of the main picture, then of the others, from objects or from an object of lists."""
    if isinstance(value, dict):
        lists = {name: column for name, column in value.items() if isinstance(column, list)}
        value = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=False)]
    if not isinstance(value, list | None) or not all(isinstance(image, dict) for image in value or []):
        raise UnreadableError("no list of pictures")
    images = sorted(value or [], key=lambda image: image.get("variant") != "MAIN")
    return [address for image in images for size in _SIZES_2023 for address in plain_texts(image.get(size))]


_EVENTS = EventFields(user="reviewerID", item="asin", time="unixReviewTime", rating="overall")


def _edition(
    year: int, events: EventFields, describe: Callable[[Fields], dict[str, Any]], literals: bool = False
) -> AmazonSource:
    parse = parse_json_or_literal if literals else parse_json
    items = ItemFormat(id=events.item, describe=describe, parse=parse)
    return AmazonSource(f"amazon-{year}", replace(events, parse=parse), items)


amazon_2014 = _edition(2014, _EVENTS, _describe_2014, literals=True)
amazon_2018 = _edition(2018, _EVENTS, _describe_2018)
amazon_2023 = _edition(
    2023,
    EventFields(user="user_id", item="parent_asin", time="timestamp", rating="rating", unit="ms"),
    _describe_2023,
)
