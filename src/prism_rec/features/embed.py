"""The stage `embed`: texts or pictures of items -> a vector an item, in a folder that later runs extend."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.errors import InputError
from prism_rec.features.contents import Contents
from prism_rec.features.encoders.encoder import Encoder
from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.part import Engine
from prism_rec.features.progress import progress_bar
from prism_rec.features.shards import Place, Shards, read_vectors
from prism_rec.folders import begin_folder, check_folder, finish_folder, require_folder

STAGE = "embed"
_ITEMS = "items.parquet"
_PART_SIZE = 2_048
_NAMES = {"text": "text", "image": "picture"}


@dataclass(frozen=True)
class Summary:
    """What a run of `embed` did.

    Attributes:
        items: all items.
        present: items that have a vector now.
        absent: how many have none, by reason.
        encoded: contents that this run encoded.
        reused: contents whose vectors were there from an earlier run.
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

    def tell(self) -> list[str]:
        """Return it in words, a line each."""
        lines = [
            f"{self.present:,} of {self.items:,} items have a vector of {self.width} numbers",
            f"encoded now {self.encoded:,}, there before {self.reused:,}",
        ]
        lines += [f"absent, {reason}: {count:,}" for reason, count in self.absent.items()]
        if self.token_limit is not None:
            lines.append(f"texts cut at {self.token_limit} tokens: {self.truncated:,}")
        return lines


def embed(
    contents: Contents,
    encoder: Encoder | HashedTextEncoder,
    out: Path,
    *,
    engine: Engine | None = None,
    part_size: int = _PART_SIZE,
    config: Mapping[str, Any] | None = None,
    inputs: Iterable[Path] = (),
    progress: bool = False,
) -> Summary:
    """Encode what `out` has no vector for yet, and record which item has which vector.

    Vectors are kept by the hash of their content: equal contents are encoded once, a later run encodes the
    new items alone, and a run that was killed goes on after its last complete part. `HashedTextEncoder`
    learns from all texts together and so encodes all of them again when one changes.

    Args:
        contents: from `texts_of` or `pictures_of`.
        encoder: what to encode them with.
        out: the stage's folder; vectors of another encoder in it are replaced.
        engine: where to run the encoder; None: on this machine.
        part_size: contents that are written together, and lost together when the run is killed.
        config: further settings for the manifest.
        inputs: files that the contents came from, for the manifest.
        progress: show a progress bar.

    Raises:
        InputError: no item has a content, or none that can be encoded; the encoder takes another kind of
            content, cannot be loaded or gives NaN; or `out` belongs to another stage. What `out` held before
            stays as it was until the first vectors are there.
    """
    available = _available(contents)
    fitted = _fit(encoder, contents)
    check_folder(out, STAGE)
    shards = Shards(out, fitted.fingerprint)
    missing = {key: value for key, value in available.items() if key not in shards.places}
    failed = _encode(fitted, missing, shards, engine or LocalEngine(), part_size, progress)
    table = _tabulate(contents, shards.places, failed)
    if not table["file"].count():
        raise InputError(
            f"no {_NAMES[contents.modality]} could be encoded{_reasons(table['absent'])}; check what is there"
        )
    begin_folder(out, STAGE)
    table.write_parquet(out / _ITEMS)
    files = table["file"].drop_nulls().unique().sort().to_list()
    shards.remove_all_but(files)
    summary = Summary(
        items=len(table),
        present=len(table) - table["file"].null_count(),
        absent=dict(sorted(Counter(table["absent"].drop_nulls()).items())),
        encoded=len(missing) - len(failed),
        reused=len(available) - len(missing),
        truncated=int(table["truncated"].sum()),
        token_limit=shards.token_limit,
        width=shards.width,
    )
    facts = {"encoder": fitted.fingerprint, "summary": asdict(summary)}
    finish_folder(out, STAGE, config or {}, [_ITEMS, *files], inputs, **facts)
    return summary


def load_embedding(folder: Path) -> tuple[np.ndarray, list[str]]:
    """Read the vectors of a finished folder, ready to be aligned to a dataset by id.

    Returns:
        float32 [R, D], unit rows; and the ids of the R items that have one, in the order of the stage's
        items.

    Raises:
        InputError: the folder is missing, unfinished or damaged, or no item has a vector.
    """
    require_folder(folder, STAGE)
    table = pl.read_parquet(folder / _ITEMS).filter(pl.col("file").is_not_null())
    if not len(table):
        raise InputError(f"{folder}: no item has a vector; see the reasons in {_ITEMS}")
    table = table.with_row_index("at")
    vectors: np.ndarray | None = None
    for (file,), places in table.group_by("file"):
        found = read_vectors(folder / str(file), places["row"].to_numpy())
        if vectors is None:
            vectors = np.empty((len(table), found.shape[1]), np.float32)
        vectors[places["at"].to_numpy()] = found
    assert vectors is not None
    return vectors, table["item_id"].to_list()


def _available(contents: Contents) -> dict[str, str | Path]:
    """Return what there is to encode by its key, each content once."""
    available = {entry.key: entry.value for entry in contents.entries if entry.key and entry.value}
    if not available:
        reasons = _reasons(entry.absent for entry in contents.entries)
        raise InputError(
            f"no item has a {_NAMES[contents.modality]} to encode{reasons}; check the fields or the folder"
        )
    return available


def _fit(encoder: Encoder | HashedTextEncoder, contents: Contents) -> Encoder:
    if isinstance(encoder, HashedTextEncoder):
        encoder = encoder.fit([entry.value for entry in contents.entries if isinstance(entry.value, str)])
    if encoder.encodes != contents.modality:
        raise InputError(
            f"this encoder takes {_NAMES[encoder.encodes]}s, not {_NAMES[contents.modality]}s; choose another"
        )
    return encoder


def _encode(
    encoder: Encoder,
    missing: Mapping[str, str | Path],
    shards: Shards,
    engine: Engine,
    part_size: int,
    progress: bool,
) -> dict[str, str]:
    """Write shards for the missing contents; return the reasons of those that cannot be encoded, by key."""
    failed: dict[str, str] = {}
    if not missing:
        return failed
    keys = list(missing)
    done = 0
    with progress_bar(f"{_NAMES[encoder.encodes]}s", progress) as tell:
        tell(done, len(keys))
        for part in engine(encoder, list(missing.values()), part_size):
            if not np.isfinite(part.encoded.vectors).all():
                raise InputError("the encoder gave NaN or infinity; give it --precision float32")
            if part.rows:
                begin_folder(shards.folder, STAGE)
                shards.write([keys[row] for row in part.rows], part.encoded)
            failed |= {keys[row]: reason for row, reason in part.failed.items()}
            done += len(part.rows) + len(part.failed)
            tell(done, len(keys))
    return failed


def _reasons(absent: Iterable[str | None]) -> str:
    """Return why contents are absent, to be put after a sentence, the most frequent reason first."""
    counts = Counter(reason for reason in absent if reason)
    return f" ({', '.join(f'{reason}: {count:,}' for reason, count in counts.most_common(3))})"


def _tabulate(contents: Contents, places: Mapping[str, Place], failed: Mapping[str, str]) -> pl.DataFrame:
    """Return a row an item: where its vector is, or why it has none."""
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
