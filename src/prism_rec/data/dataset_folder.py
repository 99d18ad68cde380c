"""The folder of a dataset: tables, vectors, the split, and what the manifest records."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.bag import Bag, Table
from prism_rec.data.clean import Cleaning
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.principal_axes import MAPS, FeatureMap, load_maps, save_maps
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.split import SplitRule
from prism_rec.data.vectors import check_modality_name
from prism_rec.errors import DamagedError, UnknownKindError
from prism_rec.files import replacing, write_text_atomically
from prism_rec.folders import begin_folder, finish_folder, require_folder
from prism_rec.plugins import choose
from prism_rec.records import MANIFEST

STAGE = "prepare"
"""The stage whose folder a dataset is."""
TABLES = ("interactions", "users", "items")
SPLITS = "splits.json"
ENCODERS = "encoders.json"
"""How new contents are encoded; only if the dataset knows it."""
LEFT_OUT = "left_out"
"""The table of users and items that were dropped; only if there are some."""


class Recorded(Config):
    """The fields of a dataset that its manifest records; see `Dataset`."""

    time: TimeKind
    """What the timestamps mean."""
    unit: str = "s"
    """The unit of the timestamps."""
    read: dict[str, int] = Field(default_factory=dict)
    """How many interactions, users and items were read."""
    dropped: dict[str, int]
    """How much was dropped, by reason."""
    notes: tuple[str, ...] = ()
    """One line each on what was inferred, and on the first problems of the source's files."""
    cleaning: Cleaning
    """Which events were dropped."""


def write(
    folder: Path,
    *,
    tables: Mapping[str, pl.DataFrame],
    features: Mapping[str, Table],
    encoders: Mapping[str, Mapping[str, Any]],
    maps: Mapping[str, FeatureMap],
    split: Mapping[str, Any],
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
    inputs: Sequence[Path],
    kept: Sequence[str],
) -> None:
    """Write the folder, its manifest last.

    Args:
        folder: new, empty, or with a dataset, which is replaced.
        tables: those of `TABLES` and `LEFT_OUT`, by name.
        features: a table per modality.
        encoders: how new contents of modalities are encoded; may be empty.
        maps: the maps that were applied to vectors, by modality; may be empty.
        split: the settings of the split, and the sizes of its parts.
        config: the settings that are recorded.
        facts: further JSON values for the manifest.
        inputs: the files that were read; each is recorded with its hash.
        kept: names of further files that are written next.

    Raises:
        FolderError: the folder has something else.
    """
    files = files_of({name: type(table) for name, table in features.items()})
    optional = {ENCODERS: bool(encoders), _file(LEFT_OUT): len(tables[LEFT_OUT]) > 0, MAPS: bool(maps)}
    begin_folder(folder, STAGE, [*files, *optional, *kept])
    files += [name for name, exists in optional.items() if exists]
    for name, table in tables.items():
        if _file(name) in files:
            with replacing(folder / _file(name)) as partial:
                table.write_parquet(partial)
    for name, vectors in features.items():
        vectors.save(folder, name)
    if encoders:
        write_text_atomically(folder / ENCODERS, json.dumps(encoders, ensure_ascii=False) + "\n")
    if maps:
        save_maps(folder, maps)
    write_text_atomically(folder / SPLITS, json.dumps(split, indent=2) + "\n")
    bags = [name for name, table in features.items() if isinstance(table, Bag)]
    finish_folder(folder, STAGE, config, files, inputs, kept, features=list(features), bags=bags, **facts)


def read(folder: Path, mapped: bool) -> tuple[dict[str, Any], dict[str, int]]:
    """Compare every file with its hash in the manifest; return a dataset's fields by name, and the sizes of its parts.

    Args:
        folder: that `write` wrote.
        mapped: see `Dataset.load`.

    Raises:
        FolderError: no such folder, unfinished, or of another stage.
        DamagedError: a file was changed or removed after it was written.
        SettingsError: the split is of a kind that is not installed.
    """
    manifest, where = require_folder(folder, STAGE), str(folder / MANIFEST)
    try:
        kinds = kinds_of(manifest["features"], manifest.get("bags", []))
        further = [file for file in (ENCODERS, _file(LEFT_OUT), MAPS) if file in manifest["files"]]
        require_folder(folder, STAGE, *files_of(kinds), *further)
        split = json.loads((folder / SPLITS).read_text(encoding="utf-8"))
        counts = split["counts"]
        rule = choose(SplitRule, split["rule"], "rule", str(folder / SPLITS))
        recorded = {name: manifest[name] for name in Recorded.model_fields if name in manifest}
        recorded["cleaning"] = manifest["config"]["cleaning"]
    except (KeyError, TypeError) as error:
        raise DamagedError(f"{where} was changed ({error!r}); run {STAGE} again") from None
    except UnknownKindError as error:
        raise error.of_a_folder() from None
    fields = {"rule": rule, **dict(Recorded.parse(recorded, where))}
    for name in (*TABLES, *([LEFT_OUT] if _file(LEFT_OUT) in further else [])):
        fields[name] = pl.read_parquet(folder / _file(name), glob=False)
    fields["features"] = {name: kind.load(folder, name, mapped) for name, kind in kinds.items()}
    if ENCODERS in further:
        fields["encoders"] = json.loads((folder / ENCODERS).read_text(encoding="utf-8"))
    if MAPS in further:
        fields["maps"] = load_maps(folder)
    return fields, counts


def kinds_of(features: Iterable[str], bags: Container[str]) -> dict[str, type[Table]]:
    """Return the class of each modality's table by name, given the names of all and of those of words."""
    return {check_modality_name(name): Bag if name in bags else FeatureTable for name in features}


def files_of(features: Mapping[str, type[Table]]) -> list[str]:
    """Return the names of the files that every dataset has, given the class of each modality's table."""
    fixed = [*map(_file, TABLES), SPLITS]
    return fixed + [file for name, kind in features.items() for file in kind.files(name)]


def _file(table: str) -> str:
    return f"{table}.parquet"
