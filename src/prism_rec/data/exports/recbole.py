"""RecBole's atomic files: `NAME.inter`, `NAME.item`, `NAME.user`, where NAME is the folder's."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from prism_rec.data.dataset import Dataset
from prism_rec.data.exports.tab_separated import flatten, require_plain, write_tabs


def write_recbole(dataset: Dataset, folder: Path) -> list[str]:
    """Write interactions, items and users under their external ids; RecBole splits them itself.

    Where there is order alone, the timestamp is the place in the history. The format has no place for
    vectors.

    Raises:
        InputError: an id that the format cannot hold.
    """
    users, items = dataset.users["user_id"], dataset.items["item_id"]
    for ids in (users, items):
        require_plain(ids)
    events = dataset.interactions
    tables = {
        "inter": pl.DataFrame(
            {
                "user_id:token": users.gather(events["user"]),
                "item_id:token": items.gather(events["item"] - 1),
                "timestamp:float": events["timestamp"],
            }
        ),
        "item": _describe(dataset.items, "item_id"),
        "user": _describe(dataset.users, "user_id"),
    }
    names = {kind: f"{folder.resolve().name}.{kind}" for kind in tables}
    for kind, table in tables.items():
        write_tabs(table, folder / names[kind])
    return list(names.values())


def _describe(frame: pl.DataFrame, id_name: str) -> pl.DataFrame:
    columns = {f"{id_name}:token": frame[id_name]}
    for name in frame.columns:
        if name not in ("row", id_name):
            kind = "float" if frame[name].dtype.is_numeric() else "token_seq"
            plain_name = re.sub(r"[\s:\"]", "_", name)
            columns[f"{plain_name}:{kind}"] = flatten(frame[name])
    return pl.DataFrame(columns)
