"""A dataset as a stage folder: Parquet, .npy and JSON, every file with its hash in the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.config import Config
from prism_rec.data.bag import BagTable
from prism_rec.data.card import write_card
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset import Dataset
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.split import parse_rule
from prism_rec.data.vectors import check_modality_name
from prism_rec.errors import InputError
from prism_rec.folders import (
    MANIFEST,
    begin_folder,
    finish_folder,
    hash_file,
    require_folder,
    write_text_atomically,
)

STAGE = "prepare"
_CARDS = ("card.md", "card.html")


class _Facts(Config):
    """What a dataset's manifest has to say for the dataset to be loaded."""

    time: TimeKind
    features: list[str]
    bags: list[str] = []
    dropped: dict[str, int]
    cleaning: Cleaning
    notes: tuple[str, ...] = ()


def save_dataset(dataset: Dataset, folder: Path, config: Mapping[str, Any], inputs: Iterable[Path]) -> None:
    """Write a dataset; see `Dataset.save`."""
    begin_folder(folder, STAGE)
    dataset.interactions.write_parquet(folder / "interactions.parquet")
    dataset.users.write_parquet(folder / "users.parquet")
    dataset.items.write_parquet(folder / "items.parquet")
    for name, table in dataset.features.items():
        table.save(folder, name)
    rule = dataset.rule.model_dump(mode="json")
    split = {"rule": rule, "counts": dataset.split.counts()}
    write_text_atomically(folder / "splits.json", json.dumps(split, indent=2) + "\n")
    settings = {"cleaning": dataset.cleaning.model_dump(mode="json"), "split": rule, **config}
    inputs = list(inputs)
    for name, text in zip(_CARDS, write_card(dataset, settings, (path.name for path in inputs)), strict=True):
        write_text_atomically(folder / name, text)
    finish_folder(
        folder,
        STAGE,
        config=settings,
        files=[*_files({name: type(table) for name, table in dataset.features.items()}), *_CARDS],
        inputs=inputs,
        time=dataset.time,
        features=list(dataset.features),
        bags=[name for name, table in dataset.features.items() if isinstance(table, BagTable)],
        counts=dataset.counts(),
        dropped=dataset.dropped,
        notes=dataset.notes,
    )


def load_dataset(folder: Path) -> Dataset:
    """Read a dataset; see `Dataset.load`."""
    manifest = require_folder(folder, STAGE)
    try:
        given = {
            key: manifest[key] for key in ("time", "features", "bags", "dropped", "notes") if key in manifest
        }
        facts = _Facts.parse(given | {"cleaning": manifest["config"]["cleaning"]}, f"{folder / MANIFEST}")
        kinds: dict[str, type[FeatureTable | BagTable]] = {
            check_modality_name(name): BagTable if name in facts.bags else FeatureTable
            for name in facts.features
        }
        for file in _files(kinds):
            _require_unchanged(folder / file, manifest["files"][file]["sha256"])
        split = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
        dataset = Dataset(
            interactions=pl.read_parquet(folder / "interactions.parquet", glob=False),
            users=pl.read_parquet(folder / "users.parquet", glob=False),
            items=pl.read_parquet(folder / "items.parquet", glob=False),
            features={name: kind.load(folder, name) for name, kind in kinds.items()},
            rule=parse_rule(split["rule"]),
            time=facts.time,
            cleaning=facts.cleaning,
            dropped=facts.dropped,
            notes=facts.notes,
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / MANIFEST} was changed ({error!r}); run {STAGE} again") from None
    if dataset.split.counts() != split["counts"]:
        raise InputError(f"{folder}/splits.json does not fit the interactions; run {STAGE} again")
    return dataset


def _files(features: Mapping[str, type[FeatureTable | BagTable]]) -> list[str]:
    fixed = ["interactions.parquet", "users.parquet", "items.parquet", "splits.json"]
    return fixed + [file for name, kind in features.items() for file in kind.files(name)]


def _require_unchanged(path: Path, recorded_hash: str) -> None:
    if hash_file(path) != recorded_hash:
        raise InputError(f"{path} was changed after it was written; run {STAGE} again")
