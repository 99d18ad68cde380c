"""RecBole's atomic files: `NAME.inter`, `NAME.item`, `NAME.user`; NAME is the folder's name."""

import re
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.data.exports.tab_separated import flatten, require_plain, write_tabs


class RecBoleFiles(Config):
    """RecBole's atomic files: interactions, items and users under their ids; RecBole splits them itself."""

    kind: Literal["recbole"] = "recbole"
    """Name of the format."""
    leaves_out: ClassVar[tuple[str, ...]] = ("split", "vectors")

    def write(self, dataset: Dataset, folder: Path) -> list[str]:
        """Write the files, named after the folder.

        If times are only an order, the timestamp is the position in the history. The format has no vectors.

        Returns:
            The names of the files.

        Raises:
            DataError: an id that the format cannot have.
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
