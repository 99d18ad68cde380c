"""Vectors of many contents, in a folder that later runs extend."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.embedding_folder import ENCODER, ITEMS, STAGE
from prism_rec.errors import DataError, FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.features.contents import Contents
from prism_rec.features.encoders.encoder import Encoder
from prism_rec.features.engines.engine import Engine
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.shards import Place, Shards
from prism_rec.files import replacing, write_text_atomically
from prism_rec.folders import (
    begin_folder,
    check_folder,
    finish_folder,
    hashes_of,
    is_finished,
    require_folder,
)
from prism_rec.version import VERSION

_PART_SIZE = 2_048
_NAMES = {"text": "text", "image": "picture"}


@dataclass(frozen=True)
class Summary:
    """What a run encoded.

    Attributes:
        items: all items.
        present: items that have a vector now.
        absent: numbers of items without a vector, by reason.
        encoded: contents that this run encoded.
        reused: contents whose vectors an earlier run made.
        truncated: texts cut at the token limit.
        token_limit: that limit; None if the encoder has none.
        width: D, the length of a vector.
    """

    items: int
    present: int
    absent: dict[str, int]
    encoded: int
    reused: int
    truncated: int
    token_limit: int | None
    width: int

    def lines(self) -> list[str]:
        """Return the summary in words, line by line."""
        lines = [
            f"{self.present:,} of {self.items:,} items have a vector of {self.width} numbers",
            f"encoded now: {self.encoded:,}; encoded before: {self.reused:,}",
        ]
        lines += [f"absent, {reason}: {count:,}" for reason, count in self.absent.items()]
        if self.token_limit is not None:
            lines.append(f"texts cut at {self.token_limit} tokens: {self.truncated:,}")
        return lines


def embed_contents(
    contents: Contents,
    encoder: Encoder,
    out: Path,
    *,
    engine: Engine = LocalEngine(),
    fit: bool = True,
    part_size: int = _PART_SIZE,
    config: Mapping[str, Any] | None = None,
    inputs: Iterable[Path] = (),
    events: Events = Events(),
    replace: bool = False,
) -> Summary:
    """Encode the contents that have no vector in `out` yet, and record which item has which vector.

    Vectors are kept by the hash of their content: equal contents are encoded once, a later run encodes only what
    is new, and a run that was killed continues after its last complete part. If nothing is new, the folder is left as
    it is. An encoder that is not portable learns from all contents together, so it encodes all of them again if one
    changes.

    Args:
        contents: from `texts_of` or `pictures_of`.
        encoder: gives the vectors; it is fitted here.
        out: the folder; new, empty, or with vectors of the same `config`.
        engine: runs the encoder.
        fit: let the encoder learn from the contents; if false, it has learned already.
        part_size: contents that are written together, and lost together if the run is killed.
        config: settings for the manifest.
        inputs: files that the contents came from, for the manifest.
        events: hears of the task `texts` or `pictures`, and a note if vectors are replaced.
        replace: replace vectors of another `config` too.

    Raises:
        InputError: no item has a content, or none can be encoded; the encoder takes another kind of content,
            cannot be loaded or gives NaN; or `out` belongs to another stage or has vectors of another `config`. The
            former content of `out` is kept until the first vectors are written.
    """
    available = _available(contents)
    if encoder.encodes != contents.modality:
        raise SettingsError(
            f"this encoder takes {_NAMES[encoder.encodes]}s, not {_NAMES[contents.modality]}s; choose another",
            key="encoder",
        )
    values = [entry.value for entry in contents.entries if entry.value is not None]
    fitted, inputs = encoder.fit(values) if fit else encoder, list(inputs)
    former = check_output(out, config or {}, replace)
    if former and former["encoder"] != fitted.fingerprint:
        events.note(f"{out}: vectors of another encoder, or of other texts, are replaced")
    shards = Shards(out, fitted.fingerprint)
    missing = {key: value for key, value in available.items() if key not in shards.places}
    failed = _encode(fitted, missing, shards, engine, part_size, events) if missing else {}
    table = _tabulate(contents, shards.places, failed)
    if not table["file"].count():
        raise DataError(
            f"no {_NAMES[contents.modality]} could be encoded{_reasons(table['absent'])}; check the contents"
        )
    summary = _summarise(table, shards, len(missing) - len(failed), len(available) - len(missing))
    if summary.encoded or not _is_unchanged(out, table, fitted.fingerprint, config or {}, inputs):
        begin_folder(out, STAGE, [ITEMS, ENCODER])
        with replacing(out / ITEMS) as partial:
            table.write_parquet(partial)
        shard_files = table["file"].drop_nulls().unique().sort().to_list()
        files = [ITEMS, *_write_encoder(out, fitted, config), *shard_files]
        finish_embedding(out, fitted.fingerprint, fitted.portable, summary, config or {}, files, inputs)
    return summary


def _is_unchanged(
    out: Path, table: pl.DataFrame, fingerprint: str, config: Mapping[str, Any], inputs: Iterable[Path]
) -> bool:
    """Return whether the folder has this table already, made by this version from the same files and settings."""
    if not is_finished(out, STAGE):
        return False
    manifest = require_folder(out, STAGE)
    wanted = (VERSION, fingerprint, dict(config), hashes_of(inputs))
    made = tuple(manifest.get(key) for key in ("prism_rec", "encoder", "config", "inputs"))
    return made == wanted and pl.read_parquet(out / ITEMS, glob=False).equals(table)


def check_output(out: Path, config: Mapping[str, Any], replace: bool) -> dict[str, Any] | None:
    """Return the manifest of the folder if it is finished, otherwise None.

    Raises:
        FolderError: the folder belongs to another stage; or its settings are others, and `replace` is false.
    """
    check_folder(out, STAGE)
    if not is_finished(out, STAGE):
        return None
    manifest = require_folder(out, STAGE)
    if not replace and manifest["config"] != dict(config):
        raise FolderError(
            f"{out} has vectors of other fields or another encoder; name another folder, or replace them with "
            "`replace`"
        )
    return manifest


def finish_embedding(
    out: Path,
    encoder: str,
    portable: bool,
    summary: Summary,
    config: Mapping[str, Any],
    files: Iterable[str],
    inputs: Iterable[Path],
) -> None:
    """Write the manifest of the folder.

    Args:
        out: the folder.
        encoder: the fingerprint of the encoder.
        portable: whether vectors of other runs of this encoder can be compared with these.
        summary: is recorded.
        config: the settings of the stage.
        files: see `folders.finish_folder`.
        inputs: see `folders.finish_folder`.
    """
    finish_folder(
        out, STAGE, config, files, inputs, encoder=encoder, portable=portable, summary=asdict(summary)
    )


def _write_encoder(out: Path, fitted: Encoder, config: Mapping[str, Any] | None) -> list[str]:
    """Write a `StoredEncoder`; return the name of its file, if the settings name an encoder."""
    if "encoder" not in (config or {}):
        return []
    learned = {"learned_from": fitted.learned_from, "fingerprint": fitted.fingerprint}
    stored = {"modality": fitted.encodes, **(config or {}), **learned}
    write_text_atomically(out / ENCODER, json.dumps(stored, ensure_ascii=False, indent=0) + "\n")
    return [ENCODER]


def _available(contents: Contents) -> dict[str, str | Path]:
    """Return the contents by key, each content once."""
    available = {entry.key: entry.value for entry in contents.entries if entry.key and entry.value}
    if not available:
        reasons = _reasons(entry.absent for entry in contents.entries)
        raise DataError(
            f"no item has a {_NAMES[contents.modality]} to encode{reasons}; check the fields or the folder"
        )
    return available


def _encode(
    encoder: Encoder,
    missing: Mapping[str, str | Path],
    shards: Shards,
    engine: Engine,
    part_size: int,
    events: Events,
) -> dict[str, str]:
    """Write shards for the missing contents; return those that cannot be encoded, by key, with the reasons."""
    failed: dict[str, str] = {}
    keys = list(missing)
    task = f"{_NAMES[encoder.encodes]}s"
    events.begin(task, len(keys))
    for part in engine.run(encoder, list(missing.values()), part_size):
        if not np.isfinite(part.encoded.vectors).all():
            raise SettingsError("the encoder gave NaN or infinity; set `encoder.precision` to float32")
        if part.rows:
            shards.write([keys[row] for row in part.rows], part.encoded)
        failed |= {keys[row]: reason for row, reason in part.failed.items()}
        done = len(part.rows) + len(part.failed)
        events.advance(task, done, {"failed": len(failed)} if failed else None)
    events.end(task)
    return failed


def _summarise(table: pl.DataFrame, shards: Shards, encoded: int, reused: int) -> Summary:
    return Summary(
        items=len(table),
        present=len(table) - table["file"].null_count(),
        absent=dict(sorted(Counter(table["absent"].drop_nulls()).items())),
        encoded=encoded,
        reused=reused,
        truncated=int(table["truncated"].sum()),
        token_limit=shards.token_limit,
        width=shards.width,
    )


def _reasons(absent: Iterable[str | None]) -> str:
    """Return why contents are absent, in brackets after a sentence; the most frequent reason comes first."""
    counts = Counter(reason for reason in absent if reason)
    return f" ({', '.join(f'{reason}: {count:,}' for reason, count in counts.most_common(3))})"


def _tabulate(contents: Contents, places: Mapping[str, Place], failed: Mapping[str, str]) -> pl.DataFrame:
    """Return one row per item: where its vector is, or why it has none."""
    rows: list[tuple[str, str | None, int | None, bool, str | None]] = []
    for entry in contents.entries:
        place = places.get(entry.key or "")
        if place is not None and place.present:
            rows.append((entry.item_id, place.file, place.row, place.truncated, None))
        else:
            reason = entry.absent or failed.get(entry.key or "") or "nothing to encode"
            rows.append((entry.item_id, None, None, False, reason))
    schema = {
        "item_id": pl.String,
        "file": pl.String,
        "row": pl.Int64,
        "truncated": pl.Boolean,
        "absent": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
