"""What can be encoded: one text or picture file per item, with the hash by which its vector is kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.frames import text_ids
from prism_rec.data.numbering import require_distinct
from prism_rec.errors import DamagedError, DataError, FolderError, SettingsError
from prism_rec.features.encoders.encoder import Modality
from prism_rec.features.images import JOURNAL, PICTURES
from prism_rec.features.images import STAGE as IMAGES
from prism_rec.features.pictures import ENDINGS, SIZE
from prism_rec.files import hash_file
from prism_rec.folders import require_folder


@dataclass(frozen=True)
class Content:
    """The text or picture file of one item, or why there is none.

    Attributes:
        item_id: the item's external id.
        value: a text or the path of a picture; None if the item has none.
        key: SHA-256 of the content in hexadecimal; None if the item has none.
        absent: why there is no content, in a few words; None if there is one.
    """

    item_id: str
    value: str | Path | None
    key: str | None
    absent: str | None = None


@dataclass(frozen=True)
class Contents:
    """The contents of one modality, in the order of the items.

    Attributes:
        modality: texts or pictures.
        entries: one per item.
        skipped: files of the folder without the ending of a picture.
        by_name: whether the item ids are names of files.
    """

    modality: Modality
    entries: Sequence[Content]
    skipped: tuple[str, ...] = ()
    by_name: bool = False

    def notes(self) -> list[str]:
        """Return one line for each thing that was inferred from a folder or skipped in it."""
        notes = []
        if self.by_name:
            first = Path(str(self.entries[0].value))
            notes.append(
                f"note: file names are taken as item ids: {first.name} is of item {self.entries[0].item_id!r}"
            )
        if self.skipped:
            count, first_skipped = len(self.skipped), self.skipped[0]
            notes.append(
                f"note: {count} files without the ending of a picture are skipped, first {first_skipped}"
            )
        return notes


def texts_of(items: pl.DataFrame, fields: Sequence[str], where: str = "items") -> Contents:
    """Join the chosen fields of every item by spaces, in the chosen order.

    Lists, such as a path of categories, are joined by ` > `. Runs of white space become one space. Empty fields and nan
    are skipped. An item has no text if all its fields are empty.

    Args:
        items: one row per item, with `item_id`.
        fields: columns of texts, numbers or lists of them.
        where: the name of the frame in messages.

    Raises:
        InputError: no fields, a field that is not a column or is given twice, or an id that is missing or given twice.
    """
    if not fields:
        raise SettingsError(f"{where}: no `fields` to encode; choose from {', '.join(items.columns)}")
    for field in fields:
        if field not in items.columns:
            raise SettingsError(f"{where} has no column {field!r}; choose from {', '.join(items.columns)}")
    twice = next((field for field in fields if list(fields).count(field) > 1), None)
    if twice is not None:
        raise SettingsError(f"{where}: the column {twice!r} is given twice in `fields`; give it once")
    rows = items.select(fields).iter_rows()
    texts = [" ".join(filter(None, map(_text, row))) for row in rows]
    entries = [
        _text_content(item_id, text) for item_id, text in zip(item_ids(items, where), texts, strict=True)
    ]
    return Contents("text", entries)


def pictures_of(folder: Path, table: pl.DataFrame | None = None) -> Contents:
    """List the pictures of a folder.

    Args:
        folder: the output of the stage images; or any folder of pictures, each named by its item's id, also in
            subfolders.
        table: `item_id` and `file`, the path of the file relative to `folder`, if names are not ids.

    Raises:
        InputError: no such folder, an unfinished stage images, no pictures, an id that is missing or given
            twice, or a file outside the folder.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder; name a folder of pictures")
    if table is not None:
        entries = _tabled_pictures(folder, table)
    elif (folder / JOURNAL).exists() or (folder / PICTURES).exists():
        entries = _gathered_pictures(folder)
    else:
        entries, others = _named_pictures(folder)
        return Contents("image", entries, tuple(others), by_name=True)
    return Contents("image", entries)


def _text(value: Any) -> str:
    if value is None or value != value:  # nan
        return ""
    if isinstance(value, list):
        return " > ".join(filter(None, map(_text, value)))
    return " ".join(str(value).split())


def _text_content(item_id: str, text: str) -> Content:
    if not text:
        return Content(item_id, None, None, "no text")
    return Content(item_id, text, hashlib.sha256(text.encode()).hexdigest())


def _gathered_pictures(folder: Path) -> list[Content]:
    size = require_folder(folder, IMAGES, PICTURES)["config"].get("size")
    pictures = pl.read_parquet(folder / PICTURES, glob=False)
    entries = []
    for item_id, status, reason, file, source, stored in pictures.select(
        "item_id", "status", "reason", "file", "sha256", "stored_sha256"
    ).iter_rows():
        if status == "ok":  # the stored file depends on the source's bytes and on the size
            if not (folder / file).is_file() or hash_file(folder / file) != stored:
                raise DamagedError(
                    f"{folder / file} is missing or was changed after it was written; run {IMAGES} again"
                )
            entries.append(Content(item_id, folder / file, _key(source, size)))
        else:
            entries.append(Content(item_id, None, None, f"no picture ({reason})"))
    return entries


def _tabled_pictures(folder: Path, table: pl.DataFrame) -> list[Content]:
    where = f"the table of {folder}"
    for column in ("item_id", "file"):
        if column not in table.columns:
            raise DataError(f"{where} has no column {column!r}; it needs item_id and file")
    home = folder.resolve()
    entries = []
    for row, (item_id, file) in enumerate(zip(item_ids(table, where), table["file"], strict=True), 1):
        path = folder / str(file or "")
        if not path.resolve().is_relative_to(home):
            raise DataError(f"{where}, row {row}: {file!r} is outside the folder; give a path inside")
        entries.append(_picture_content(item_id, path))
    return entries


def _named_pictures(folder: Path) -> tuple[list[Content], list[str]]:
    """Return the pictures of a folder and its subfolders, and the files that are none."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path, folder))
    pictures: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() not in ENDINGS:
            continue
        if path.stem in pictures:
            both = [str(one.relative_to(folder)) for one in (pictures[path.stem], path)]
            raise DataError(
                f"{folder}: {' and '.join(both)} are both of item {path.stem!r}; keep one, or name the right one in "
                "`picture_table`"
            )
        pictures[path.stem] = path
    if not pictures:
        raise DataError(f"{folder} has no pictures; name a folder of files such as ITEM_ID.jpg")
    others = [str(path.relative_to(folder)) for path in files if path.suffix.lower() not in ENDINGS]
    return [_picture_content(item, path) for item, path in pictures.items()], others


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _picture_content(item_id: str, path: Path) -> Content:
    if not path.is_file():
        return Content(item_id, None, None, "no picture")
    return Content(item_id, path, _key(hash_file(path), SIZE))


def _key(source: str, size: int) -> str:
    """Return a key for a stored picture: of the bytes of its source and the size that it is reduced to."""
    return hashlib.sha256(f"{source} {size}".encode()).hexdigest()


def item_ids(frame: pl.DataFrame, where: str) -> list[str]:
    """Return the column `item_id` as texts.

    Raises:
        DataError: there is no such column, or an id is missing or given twice.
    """
    if "item_id" not in frame.columns:
        raise DataError(f"{where} has no column 'item_id'; rename the column of item ids")
    ids = text_ids(frame["item_id"], where)
    require_distinct(ids, where)
    return ids.to_list()
