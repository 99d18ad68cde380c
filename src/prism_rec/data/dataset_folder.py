"""The folder of a dataset: which files it has, and what they and the manifest say besides the tables."""

import json
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.bag import Bag, Table
from prism_rec.data.clean import Cleaning
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.principal_axes import MAPS
from prism_rec.data.raw_log import TimeKind
from prism_rec.data.split import SplitRule
from prism_rec.data.vectors import check_modality_name
from prism_rec.errors import DamagedError, UnknownKindError
from prism_rec.folders import require_folder
from prism_rec.plugins import choose
from prism_rec.records import MANIFEST

STAGE = "prepare"
"""The stage whose folder a dataset is."""
TABLES = ("interactions", "users", "items")
SPLITS = "splits.json"
ENCODERS = "encoders.json"
"""How new contents are encoded; only if the dataset knows it."""
LEFT_OUT = "left_out.parquet"
"""The users and items that were dropped; only if there are some."""


class Facts(Config):
    """What a dataset's folder records besides tables and vectors."""

    time: TimeKind
    """What the timestamps mean."""
    features: list[str]
    """Names of the modalities."""
    bags: list[str] = []
    """Names of those of words."""
    unit: str = "s"
    """The unit of the timestamps."""
    read: dict[str, int] = Field(default_factory=dict)
    """How many interactions, users and items were read."""
    dropped: dict[str, int]
    """How much was dropped, by reason."""
    notes: tuple[str, ...] = ()
    """One line each on the first problems of the source's files."""
    encoders: dict[str, dict[str, Any]] = {}
    """How new contents of a modality are encoded."""
    has_maps: bool = False
    """Whether the folder has maps of vectors."""
    has_left_out: bool = False
    """Whether the folder has a table of those that were dropped."""
    cleaning: Cleaning
    """Which events were dropped."""
    rule: Any
    """The settings of the split."""
    split_counts: dict[str, int]
    """Sizes of the parts, to check the split."""

    @property
    def kinds(self) -> dict[str, type[Table]]:
        """The class of each modality's table."""
        return kinds_of(self.features, self.bags)


def kinds_of(features: Iterable[str], bags: Container[str]) -> dict[str, type[Table]]:
    """Return the class of each modality's table by name, given the names of all and of those of words."""
    return {check_modality_name(name): Bag if name in bags else FeatureTable for name in features}


def files_of(features: Mapping[str, type[Table]]) -> list[str]:
    """Return the names of a dataset's files.

    Args:
        features: the class of each modality's table, by name.
    """
    fixed = [*(f"{name}.parquet" for name in TABLES), SPLITS]
    return fixed + [file for name, kind in features.items() for file in kind.files(name)]


def read_facts(folder: Path) -> Facts:
    """Compare every file with its hash in the manifest, and return what is recorded.

    Raises:
        FolderError: no such folder, unfinished, or of another stage.
        DamagedError: a file was changed or removed after it was written.
        SettingsError: the split is of a kind that is not installed.
    """
    manifest, where = require_folder(folder, STAGE), str(folder / MANIFEST)
    try:
        further = [file for file in [ENCODERS, LEFT_OUT, MAPS] if file in manifest["files"]]
        kinds = kinds_of(manifest["features"], manifest.get("bags", []))
        require_folder(folder, STAGE, *files_of(kinds), *further)
        split = json.loads((folder / SPLITS).read_text(encoding="utf-8"))
        recorded: dict[str, Any] = {
            key: manifest[key]
            for key in ("time", "unit", "features", "bags", "read", "dropped", "notes")
            if key in manifest
        }
        recorded |= {"has_left_out": LEFT_OUT in further, "has_maps": MAPS in further}
        if ENCODERS in further:
            recorded["encoders"] = json.loads((folder / ENCODERS).read_text(encoding="utf-8"))
        recorded |= {"cleaning": manifest["config"]["cleaning"], "split_counts": split["counts"]}
        rule = choose(SplitRule, split["rule"], "rule", str(folder / SPLITS))
    except (KeyError, TypeError) as error:
        raise DamagedError(f"{where} was changed ({error!r}); run {STAGE} again") from None
    except UnknownKindError as error:
        raise error.of_a_folder() from None
    return Facts.parse(recorded | {"rule": rule}, where)
