"""Items that join a catalogue after it was numbered: rows behind the others, no interaction."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.bag import BagTable
from prism_rec.data.dataset import Dataset
from prism_rec.data.feature_table import Catalogue, FeatureTable
from prism_rec.data.frames import entities_from, to_polars
from prism_rec.data.vectors import table_from
from prism_rec.errors import InputError


def add_items(dataset: Dataset, items: Any, features: Mapping[str, Any]) -> Dataset:
    """Return the dataset with further items at the end of its catalogue.

    Args:
        dataset: what a model was trained on.
        items: polars, pandas or Arrow frame: `item_id` and any of the catalogue's columns; others are left out.
        features: vectors of the new items, by modality, as `Dataset.from_frame` takes them. Any item may lack any.

    Raises:
        InputError: an id that the catalogue has already, a modality that it lacks, vectors of another width, or
            bytes, which are centred by the catalogue they came with.
    """
    where = "new items"
    new = entities_from(to_polars(items, where), "item_id", {}, where)
    known = new["item_id"].is_in(dataset.items["item_id"].implode())
    if known.any():
        raise InputError(
            f"{where}: item {new['item_id'].filter(known)[0]!r} is in the catalogue already; leave it out"
        )
    unknown = [name for name in features if name not in dataset.features]
    if unknown:
        have = ", ".join(dataset.features) or "none"
        raise InputError(
            f"{where}: the model knows no feature {unknown[0]!r} (it knows: {have}); leave it out"
        )
    for name in features:
        table = dataset.features[name]
        if isinstance(table, BagTable):
            wanted = ", ".join(table.bag.columns)
            raise InputError(
                f"{where}: feature {name!r} is made of words; give the columns {wanted} of the items"
            )
    catalogue = Catalogue(new["item_id"], pl.Series([], dtype=pl.String))
    given = {name: _table(name, vectors, catalogue) for name, vectors in features.items()}
    first_row = dataset.number_of_items + 1
    rows = new.with_row_index("row", offset=first_row).with_columns(pl.col("row").cast(pl.Int64))
    columns = [name for name in dataset.items.columns if name in rows.columns]
    return replace(
        dataset,
        items=pl.concat([dataset.items, rows.select(columns)], how="diagonal_relaxed"),
        features={
            name: table.extend(name, new)
            if isinstance(table, BagTable)
            else _extend(name, table, given.get(name), len(new))
            for name, table in dataset.features.items()
        },
    )


def _table(name: str, vectors: Any, catalogue: Catalogue) -> FeatureTable:
    if isinstance(vectors, tuple) and np.asarray(vectors[0]).dtype == np.uint8:
        raise InputError(f"new items: feature {name!r} holds bytes; give float vectors of the same encoder")
    return table_from(name, vectors, catalogue)[0]


def _extend(name: str, table: FeatureTable, new: FeatureTable | None, count: int) -> FeatureTable:
    if new is None:
        new = FeatureTable(np.zeros((count + 1, table.width), np.float32), np.zeros(count + 1, bool))
    if new.width != table.width:
        raise InputError(
            f"new items: feature {name!r} has {new.width} numbers an item where the model was trained on "
            f"{table.width}; embed with the same encoder"
        )
    return FeatureTable(
        np.concatenate([table.vectors, new.vectors[1:]]), np.concatenate([table.present, new.present[1:]])
    )
