"""Amazon Reviews as published in 2014, 2018 and 2023: files of reviews and, next to them, of metadata.

`lines/json_events.py` turns a line into an event. Reviews need not be sorted: rows stay in file order. Texts are kept
in the columns `title`, `description`, `brand` and `categories` (the first path, from the widest to the narrowest);
the stage `embed` joins them. `images` lists the addresses of a product's picture in order of preference.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.raw_log import RawLog
from prism_rec.data.sources.lines.fields import Fields, first_path, plain_texts, sentence, words
from prism_rec.data.sources.lines.json_events import EventFields, read_events
from prism_rec.data.sources.lines.json_items import ItemFormat, read_items
from prism_rec.data.sources.lines.reader import LineReader, count_problems
from prism_rec.data.sources.lines.records import UnreadableError, parse_json_or_literal

_SIZES_2023 = ("large", "hi_res", "thumb")  # `large`, about 500 pixels, is enough for any encoder


class AmazonReviews(Config):
    """The settings that all editions have."""

    kind: str
    """Name of the source."""
    reviews: Path
    """The file of reviews, such as reviews_Beauty_5.json.gz or Beauty.jsonl.gz; gzipped or not."""
    metadata: Path | None = Field(None, json_schema_extra={"flags": ["--meta"]})
    """The file of metadata, such as meta_Beauty.json.gz; gzipped or not."""

    events: ClassVar[EventFields]
    items: ClassVar[ItemFormat]

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads."""
        return (self.reviews,) if self.metadata is None else (self.reviews, self.metadata)

    def read(self) -> RawLog:
        """Read the reviews and, if there is a file of them, the metadata.

        Raises:
            DataError: a file is missing, cut short or of another format.
        """
        readers = [LineReader(path) for path in self.files()]
        events = read_events(readers[0], self.events)
        if self.events.unit == "ms":
            events = events.with_columns(timestamp=events["timestamp"] / 1000)
        described = read_items(readers[1], self.items, events["item_id"]) if len(readers) > 1 else None
        return RawLog(
            events=events, items=described, time="absolute", **count_problems(readers[0], readers[1:])
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
    return None if title and "getTime" in title else title  # a script of the page in place of the title


def _brand_2018(value: Any) -> str | None:
    return sentence(value.removeprefix("by\n") if isinstance(value, str) else value)


def _categories_2018(value: Any) -> list[str]:
    path = words(value)
    markup = next((place for place, part in enumerate(path) if "<" in part), len(path))
    return path[:markup]  # after the first tag comes the page's text, not a category


def _brand_2023(value: Any) -> str | None:
    if value is not None and not isinstance(value, dict):
        raise UnreadableError("expected an object")
    return sentence((value or {}).get("Brand"))


def _images_2023(value: Any) -> list[str]:
    """Return the addresses of the main picture, then of the others, from objects or from an object of lists."""
    if isinstance(value, dict):
        lists = {name: column for name, column in value.items() if isinstance(column, list)}
        value = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=False)]
    if not isinstance(value, list | None) or not all(isinstance(image, dict) for image in value or []):
        raise UnreadableError("not a list of pictures")
    images = sorted(value or [], key=lambda image: image.get("variant") != "MAIN")
    return [address for image in images for size in _SIZES_2023 for address in plain_texts(image.get(size))]


class Amazon2014(AmazonReviews):
    """Amazon Reviews of 2014: `reviews_X_5.json.gz` or `reviews_X.json.gz`, and `meta_X.json.gz`."""

    kind: Literal["amazon-2014"] = "amazon-2014"
    """Name of the source."""
    events = EventFields(
        user="reviewerID", item="asin", time="unixReviewTime", rating="overall", parse=parse_json_or_literal
    )
    items = ItemFormat(id="asin", describe=_describe_2014, parse=parse_json_or_literal)


class Amazon2018(AmazonReviews):
    """Amazon Reviews of 2018: `X_5.json.gz` or `X.json.gz`, and `meta_X.json.gz`."""

    kind: Literal["amazon-2018"] = "amazon-2018"
    """Name of the source."""
    events = EventFields(user="reviewerID", item="asin", time="unixReviewTime", rating="overall")
    items = ItemFormat(id="asin", describe=_describe_2018)


class Amazon2023(AmazonReviews):
    """Amazon Reviews of 2023: `X.jsonl.gz`, and `meta_X.jsonl.gz`; items are `parent_asin`, times milliseconds."""

    kind: Literal["amazon-2023"] = "amazon-2023"
    """Name of the source."""
    events = EventFields(user="user_id", item="parent_asin", time="timestamp", rating="rating", unit="ms")
    items = ItemFormat(id="parent_asin", describe=_describe_2023)
