"""Items added to a catalogue after it was numbered: rows after the others, without interactions."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.bag import Bag, Table
from prism_rec.data.dataset import Dataset
from prism_rec.data.embedding_folder import STAGE
from prism_rec.data.feature_table import Catalogue, FeatureTable
from prism_rec.data.frames import entities_from, to_polars
from prism_rec.data.principal_axes import FeatureMap
from prism_rec.data.vectors import table_from
from prism_rec.errors import DataError
from prism_rec.folders import require_folder


def add_items(
    dataset: Dataset,
    items: Any,
    features: Mapping[str, Any],
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """Return the dataset with further items at the end of its catalogue.

    Args:
        dataset: the data of a trained model.
        items: polars, pandas or Arrow frame: a column of ids and any of the catalogue's columns; others are ignored.
        features: vectors of the new items, by modality, as in `Dataset.from_frame`. Any item may lack any modality.
            A folder of the stage embed may have vectors of other items too. Words are found in `items`, in the columns
            that the catalogue's words are in.
        columns: `item`, the name of the column of ids in frames; by default `item_id`.

    Raises:
        DataError: an id that is in the catalogue already, an unknown modality, vectors for one of words, vectors of
            another width or of another encoder, or uint8 vectors, which are centred by the catalogue that they belong
            to.
    """
    where = "new items"
    new = entities_from(to_polars(items, where), "item_id", columns or {}, where)
    known = new["item_id"].is_in(dataset.items["item_id"].implode())
    if known.any():
        raise DataError(
            f"{where}: item {new['item_id'].filter(known)[0]!r} is in the catalogue already; remove it"
        )
    unknown = [name for name in features if name not in dataset.features]
    if unknown:
        have = ", ".join(dataset.features) or "none"
        raise DataError(f"{where}: the model has no feature {unknown[0]!r} (it has: {have}); remove it")
    for name, vectors in features.items():
        table = dataset.features[name]
        if isinstance(table, Bag):
            made_of = ", ".join(table.vocabulary.columns)
            raise DataError(
                f"{where}: feature {name!r} is made of the columns {made_of} of the items; leave its vectors out"
            )
        if isinstance(vectors, str | Path):
            _check_encoder(name, Path(vectors), dataset)
    catalogue = Catalogue(new["item_id"], dataset.items["item_id"])
    given = {name: _table(name, vectors, catalogue, columns) for name, vectors in features.items()}
    first_row = dataset.number_of_items + 1
    rows = new.with_row_index("row", offset=first_row).with_columns(pl.col("row").cast(pl.Int64))
    shared = [name for name in dataset.items.columns if name in rows.columns]
    return replace(
        dataset,
        left_out=dataset.left_out.filter(
            (pl.col("role") != "item") | ~pl.col("id").is_in(new["item_id"].implode())
        ),
        items=pl.concat([dataset.items, rows.select(shared)], how="diagonal_relaxed"),
        features={
            name: table.extend(new, where)
            if isinstance(table, Bag)
            else _extend(name, table, given.get(name), len(new), dataset.maps.get(name))
            for name, table in dataset.features.items()
        },
    )


def _check_encoder(name: str, folder: Path, dataset: Dataset) -> None:
    """Refuse vectors that do not fit those of the dataset, as far as folder and dataset say how they were made."""
    manifest = require_folder(folder, STAGE)
    known = dataset.encoders.get(name, {}).get("fingerprint")
    if known is not None and manifest["encoder"] != known:
        raise DataError(
            f"new items: the vectors of {folder} are of another encoder than those of {name!r}, or of one that "
            "learned from other texts; leave them out, and give the texts or pictures themselves"
        )
    if known is None and not manifest["portable"]:
        raise DataError(
            f"new items: the encoder of {folder} learns from the texts that it gets, and it is not known from which "
            f"texts it learned for the vectors of {name!r}; prepare the data again, with the folder of embed as "
            "features"
        )


def _table(name: str, vectors: Any, catalogue: Catalogue, columns: Mapping[str, str] | None) -> Table:
    if isinstance(vectors, tuple) and "uint8" in str(getattr(vectors[0], "dtype", "")):
        raise DataError(
            f"new items: feature {name!r} has uint8 values; give float vectors of the same encoder"
        )
    return table_from(name, vectors, catalogue, isinstance(vectors, str | Path), columns)[0]


def _extend(
    name: str, table: FeatureTable, new: Table | None, count: int, mapped: FeatureMap | None
) -> FeatureTable:
    width = table.width if mapped is None else len(mapped.mean)
    if new is None:
        new = FeatureTable(np.zeros((count + 1, width), np.float32), np.zeros(count + 1, bool))
    if isinstance(new, Bag):
        raise DataError(
            f"new items: feature {name!r} has words, and the model was trained with vectors; give vectors"
        )
    if new.width != width:
        raise DataError(
            f"new items: feature {name!r} has the width {new.width}, and the model was trained with "
            f"{width}; embed with the same encoder"
        )
    if mapped is not None:
        new = mapped.apply(new)
    return FeatureTable(
        np.concatenate([table.vectors, new.vectors[1:]]), np.concatenate([table.present, new.present[1:]])
    )
