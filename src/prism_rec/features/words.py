"""The words of items in a folder of the stage embed: their weights, and the vocabulary that new items need."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.bag import Bag
from prism_rec.data.embedding_folder import ITEMS, STAGE, WORDS
from prism_rec.features.contents import item_ids
from prism_rec.features.embedding import Summary, check_output, finish_embedding
from prism_rec.features.encoders.settings import Words
from prism_rec.files import hash_file
from prism_rec.folders import begin_folder

ABSENT = "no word that other items have"


def embed_words(
    items: pl.DataFrame,
    fields: Sequence[str],
    encoder: Words,
    out: Path,
    where: str = "items",
    config: Mapping[str, Any] | None = None,
    inputs: Iterable[Path] = (),
    replace: bool = False,
) -> Summary:
    """Find the words of items, weigh them, and write both to a folder; see `data.bag.Vocabulary`.

    Args:
        items: one row per item, with `item_id`.
        fields: columns of texts, whole numbers, or lists of them.
        encoder: the settings.
        out: the folder; new, empty, or with vectors of the same `config`.
        where: the name of the frame in messages.
        config: settings for the manifest.
        inputs: files that the items came from, for the manifest.
        replace: replace vectors of another `config` too.

    Raises:
        InputError: a wrong id or field, no word in enough items, or `out` belongs to another stage.
    """
    check_output(out, config or {}, replace)
    ids = item_ids(items, where)
    bag = Bag.of(items, fields, encoder.min_items, where)
    begin_folder(out, STAGE, [ITEMS, WORDS])
    absent = pl.Series([None if present else ABSENT for present in bag.present], dtype=pl.String)
    pl.DataFrame({"item_id": ids, "absent": absent}).write_parquet(out / ITEMS)
    bag.write(out / WORDS)
    missing = len(ids) - int(bag.present.sum())
    summary = Summary(
        items=len(ids),
        present=len(ids) - missing,
        absent={ABSENT: missing} if missing else {},
        encoded=len(ids) - missing,
        reused=0,
        truncated=0,
        token_limit=None,
        width=bag.width,
    )
    fingerprint = f"words {hash_file(out / WORDS)}"
    finish_embedding(out, fingerprint, False, summary, config or {}, [ITEMS, WORDS], inputs)
    return summary
