"""Descriptions of items from files of one record a line, of which a log needs a small part."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from prism_rec.data.sources.chunks import read_lines_of
from prism_rec.data.sources.faults import Faults
from prism_rec.data.sources.fields import Fields
from prism_rec.data.sources.records import UnreadableError, parse_json, text_id
from prism_rec.errors import InputError


@dataclass(frozen=True)
class ItemFormat:
    """How a format describes items.

    Attributes:
        id: the field with the item's id.
        describe: makes the columns; texts (or None) and lists of texts.
        parse: reads a line.
    """

    id: str
    describe: Callable[[Fields], dict[str, Any]]
    parse: Callable[[bytes], Mapping[str, Any]] = parse_json


def read_items(faults: Faults, form: ItemFormat, wanted: pl.Series) -> pl.DataFrame:
    """Return a row for every wanted item that the file describes, in file order; the first of several counts.

    A line that plainly speaks of other items alone is passed over unread: metadata are many times larger
    than the part that a log needs.

    Args:
        faults: of the file to read.
        form: the format.
        wanted: ids, repeated or not.

    Raises:
        InputError: no such file, cut short, too many lines left out, or no wanted item in it.
    """
    missing = set(wanted.unique().to_list())
    spoken_of = _finder(form.id)
    rows = []
    for line, content in read_lines_of(faults):
        ids = spoken_of.findall(content)
        if ids and missing.isdisjoint(found.decode("utf-8", "replace") for found in ids):
            continue
        try:
            record = form.parse(content)
            item_id = text_id(record, form.id)
        except UnreadableError as reason:
            faults.leave_out(line, str(reason))
            continue
        if item_id in missing:
            missing.remove(item_id)
            rows.append({"item_id": item_id, **form.describe(Fields(record, line, faults))})
    if not rows:
        raise InputError(
            f"{faults.path} describes none of the items of the reviews ({wanted[0]!r}, ...); "
            "check that the two files belong together"
        )
    return pl.DataFrame(rows, schema=_types(rows[0]))


def _finder(name: str) -> re.Pattern[bytes]:
    """Find ids that are texts without escapes; a line with another kind of id has no match, and is parsed.

    The pattern begins with the name itself, for which the search is ten times as fast as parsing the line.
    """
    return re.compile(rb"""%b["']\s*:\s*["']([^"'\\]*)["']""" % re.escape(name.encode()))


def _types(row: dict[str, Any]) -> dict[str, pl.DataType]:
    """Say what columns hold, which their values do not where all are empty."""
    texts = pl.List(pl.String())
    return {name: texts if isinstance(value, list) else pl.String() for name, value in row.items()}
