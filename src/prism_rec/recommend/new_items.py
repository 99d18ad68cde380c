"""Items that came after training: their vectors, and the model with rows for them."""

from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch.nn.functional as F

from prism_rec.data.dataset import Dataset
from prism_rec.data.frames import entities_from, to_polars
from prism_rec.data.new_items import add_items
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.features.contents import Contents, pictures_of, texts_of
from prism_rec.features.encoders.encoder import Encoder
from prism_rec.features.stored_encoder import StoredEncoder, encode
from prism_rec.rank import CatalogueRanker
from prism_rec.runs.ensemble import Ensemble
from prism_rec.runs.run import Run


class NewContents:
    """Encodes texts and pictures of new items like those of a dataset. An encoder is made once, when it is needed.

    Args:
        encoders: of the dataset; see `Dataset.encoders`.
    """

    def __init__(self, encoders: Mapping[str, Mapping[str, Any]]) -> None:
        self.stored = {
            name: StoredEncoder.parse(values, f"encoder of {name}") for name, values in encoders.items()
        }
        self._made: dict[str, Encoder] = {}

    def features(
        self,
        items: pl.DataFrame,
        pictures: Path | None,
        given: Container[str],
        events: Events,
        known: Container[str] = (),
    ) -> dict[str, tuple[np.ndarray, pl.Series]]:
        """Return matrix and ids for each modality whose contents are there.

        Args:
            items: one row per new item, with `item_id` and the columns that texts are made of.
            pictures: a folder of the stage images, or of files named ITEM_ID.jpg.
            given: modalities that are left out, because their vectors are given.
            events: hears how many contents were not encoded, and of modalities without any.
            known: items of the catalogue; their pictures are ignored.

        Raises:
            InputError: some of the columns of a text are missing, no picture is of an item, no modality reads
                pictures, or an encoder cannot be made here.
        """
        if pictures is not None and all(stored.modality != "image" for stored in self.stored.values()):
            raise InputError(
                "the data of this model has no encoder of pictures, so `pictures` cannot be encoded; give their "
                "vectors as `features`, or leave the pictures out"
            )
        found = {}
        for name, stored in self.stored.items():
            contents = None if name in given else _contents(name, stored, items, pictures, events)
            if contents is None:
                continue
            new = set(items["item_id"])
            if stored.modality == "image":
                _require_matches(contents, pictures, items["item_id"], known)
            entries = [
                entry for entry in contents.entries if entry.item_id in new and entry.value is not None
            ]
            if not entries:
                continue
            if name not in self._made:
                self._made[name] = stored.build()
            vectors, ids, failed = encode(self._made[name], entries)
            for item, reason in failed.items():
                events.note(f"note: feature {name} of new item {item}: {reason}")
            if vectors.any():
                found[name] = vectors, ids
        return found


def _require_matches(
    contents: Contents, pictures: Path | None, new: pl.Series, known: Container[str]
) -> None:
    """Refuse pictures of which none is of an item.

    Raises:
        InputError: no picture is of a new item or of one that is known.
    """
    ids = set(new)
    if any(entry.item_id in ids or entry.item_id in known for entry in contents.entries):
        return
    first = contents.entries[0]
    named = Path(first.value).name if first.value else first.item_id
    raise InputError(
        f"none of the {len(contents.entries)} pictures in {pictures} (first {named}) is of an item (first new item "
        f"{new[0]!r}); name each file by its item id, as in {new[0]}.jpg, or gather the files by a table with "
        "`prism-rec images`"
    )


def _contents(
    name: str, stored: StoredEncoder, items: pl.DataFrame, pictures: Path | None, events: Events
) -> Contents | None:
    if stored.modality == "image":
        return None if pictures is None else pictures_of(pictures)
    fields = stored.fields or ("title",)
    missing = [field for field in fields if field not in items.columns]
    if len(missing) == len(fields):
        events.note(f"note: new items have no {', '.join(fields)}, so they have no feature {name}")
        return None
    if missing:
        raise InputError(
            f"new items have no column {missing[0]!r}, which feature {name!r} is made of; add it, empty if unknown"
        )
    return texts_of(items, fields, "new items")


def say_contents(dataset: Dataset, count: int) -> str:
    """Return a note that says how many of the last items of a catalogue have which contents."""
    having = [f"{table.present[-count:].sum():,} with {name}" for name, table in dataset.features.items()]
    return f"{count:,} new items: {', '.join(having)}"


def without_vectors(dataset: Dataset, known: int) -> pl.Series:
    """Return the ids of items that have no vector of any modality: they all get the same score.

    Args:
        dataset: with the new items.
        known: the number of items before they came.
    """
    described = np.any([table.present for table in dataset.features.values()], axis=0)[known + 1 :]
    return dataset.items["item_id"][known:].filter(pl.Series(~described))


def new_items_frame(items: Any, columns: Mapping[str, str]) -> pl.DataFrame:
    """Return any frame of items as polars, ids as text in the column `item_id`; `columns` may name theirs.

    Raises:
        DataError: see `data.frames.entities_from`.
    """
    return entities_from(to_polars(items, "new items"), "item_id", columns, "new items")


def without_known(items: pl.DataFrame, known_ids: pl.Series, events: Events) -> pl.DataFrame:
    """Return the items that are new; a note counts both."""
    known = items["item_id"].is_in(known_ids.implode())
    events.note(f"{known.sum():,} items are known already, {len(items) - known.sum():,} are new")
    return items.filter(~known)


def require_content(ranker: CatalogueRanker) -> None:
    """Refuse models of which each scores items only by their ids.

    Raises:
        InputError: it is one.
    """
    if not any(one.model.content for _, one in ranker.members):
        raise InputError(
            "this model scores items only by their ids, so all new items would have the same score; train with "
            "candidates: content and a fusion other than id"
        )


def extend(
    run: Run | Ensemble, items: pl.DataFrame, features: Mapping[str, Any], columns: Mapping[str, str]
) -> Run | Ensemble:
    """Return a run that has further items: their ids are zero, everything else is as trained.

    Raises:
        DataError: see `data.new_items.add_items`.
    """
    dataset: Dataset = add_items(run.dataset, items, features, columns)
    if isinstance(run, Ensemble):
        return replace(run, dataset=dataset, members=tuple(_grown(member, dataset) for member in run.members))
    return _grown(run, dataset)


def _grown(run: Run, dataset: Dataset) -> Run:
    """Return a run with rows for the further items of its data."""
    model = run.config.model.build(dataset.number_of_items, dataset.features)
    further = dataset.number_of_items - run.dataset.number_of_items
    fresh, weights = model.state_dict(), dict(run.model.state_dict())
    for name, values in weights.items():
        if values.shape != fresh[name].shape:  # one row per item: zero for the new ones
            weights[name] = F.pad(values, (*[0, 0] * (values.dim() - 1), 0, further))
    model.load_state_dict(weights)
    return replace(run, dataset=dataset, model=model.to(run.model.device).eval())
