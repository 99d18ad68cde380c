"""Descriptions of items from files with one record per line, of which a log needs a small part."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from prism_rec.data.sources.lines.fields import Fields
from prism_rec.data.sources.lines.reader import LineReader
from prism_rec.data.sources.lines.records import UnreadableError, parse_json, text_id
from prism_rec.errors import DataError


@dataclass(frozen=True)
class ItemFormat:
    """How a format describes items.

    Attributes:
        id: the field with the item's id.
        describe: makes the columns from the fields of a line: texts (or None) and lists of texts.
        parse: parses a line.
    """

    id: str
    describe: Callable[[Fields], dict[str, Any]]
    parse: Callable[[bytes], Mapping[str, Any]] = parse_json


def read_items(reader: LineReader, form: ItemFormat, wanted: pl.Series) -> pl.DataFrame:
    """Return one row per wanted item that the file describes, in file order; the first of several lines counts.

    A line that clearly names only other items is skipped without parsing: metadata are many times larger than
    the part that a log needs.

    Args:
        reader: of the file.
        form: the format.
        wanted: ids; repeats are allowed.

    Raises:
        DataError: no such file, cut short, too many lines skipped, or no wanted item in the file.
    """
    missing = set(wanted.unique().to_list())
    named = _finder(form.id)
    rows = []
    for line, content in reader:
        ids = named.findall(content)
        if ids and not any(
            other or (one or two).decode("utf-8", "replace") in missing for one, two, other in ids
        ):
            continue
        try:
            record = form.parse(content)
            item_id = text_id(record, form.id)
        except UnreadableError as reason:
            reader.skip(line, str(reason))
            continue
        if item_id in missing:
            missing.remove(item_id)
            rows.append({"item_id": item_id, **form.describe(Fields(record, line, reader))})
    if not rows:
        raise DataError(
            f"{reader.path} describes none of the items of the reviews ({wanted[0]!r}, ...); "
            "check that the two files belong together"
        )
    return pl.DataFrame(rows, schema=_types(rows[0]))


def _finder(name: str) -> re.Pattern[bytes]:
    """Return a pattern of ids, of which the first two groups are texts without escapes; the third is anything else.

    The pattern begins with the field's name, so that the search is ten times as fast as parsing the line.
    """
    return re.compile(rb"""%b["']\s*:\s*(?:"([^"\\]*)"|'([^'\\]*)'|([^\s]))""" % re.escape(name.encode()))


def _types(row: dict[str, Any]) -> dict[str, pl.DataType]:
    """Return the columns' types, which polars cannot infer if all values are empty."""
    texts = pl.List(pl.String())
    return {name: texts if isinstance(value, list) else pl.String() for name, value in row.items()}
