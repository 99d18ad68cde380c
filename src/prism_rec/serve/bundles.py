"""The folder that is served: versions of a recommender, and the name of the current one.

    7/              a recommender as `Recommender.save` writes it, the tables of its ranker, and an index
    current.json    which version is served, and of which run; replaced when a version is complete

Every worker follows `current.json`. So a run that was trained again, and items that were added, reach all of them.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from prism_rec.config import Config
from prism_rec.errors import DamagedError, FolderError
from prism_rec.events import Events
from prism_rec.files import LOCK, PARTIAL, hash_file, locked
from prism_rec.folders import add_files, begin_folder, remove_folder, require_folder
from prism_rec.recommend.everybody import FILE as EVERYBODY
from prism_rec.recommend.recommender import Recommender
from prism_rec.records import MANIFEST, is_sealed, read_record, write_record
from prism_rec.runs.ensemble import STAGE as ENSEMBLE
from prism_rec.runs.ensemble import Ensemble
from prism_rec.runs.folder import STAGE
from prism_rec.runs.load import load_run
from prism_rec.serve.indexes import INDEX, Exact, IndexSettings
from prism_rec.serve.tables import map_tables, names_of, save_tables

CURRENT = "current.json"
KEPT = 3
"""Versions that stay: workers may still read one that was replaced just now."""


class Current(Config):
    """Which version is served."""

    version: int
    """Counts from 1."""
    source: str
    """The hash of the manifest of the run that the version was made of."""


class Served(NamedTuple):
    """A version in memory."""

    version: int
    recommender: Recommender


def fingerprint(run: Path) -> str | None:
    """Return a text that identifies a finished run; None if there is no finished run."""
    return hash_file(run / MANIFEST) if (run / MANIFEST).is_file() else None


class Bundles:
    """The versions in a folder.

    Args:
        path: the folder; made if it does not exist.
        index: how the best items are found; if not given, exactly.
        events: hears what an index reaches.

    Raises:
        FolderError: the folder has something else.
    """

    def __init__(self, path: Path, index: IndexSettings | None = None, events: Events = Events()) -> None:
        self.path = path
        self.index = Exact() if index is None else index
        self.events = events
        names = {file.name for file in path.iterdir()} if path.is_dir() else set()
        others = names - {LOCK, "1", f"{CURRENT}{PARTIAL}"}  # what a kill leaves of the first version
        if path.exists() and not path.is_dir() or (others and CURRENT not in others):
            raise FolderError(f"{path} is not a folder of bundles; name a new or empty folder")
        path.mkdir(parents=True, exist_ok=True)

    def current(self) -> Current | None:
        """Return the version that is served; None if there is none yet.

        Raises:
            DamagedError: the file that says so is damaged.
        """
        file = self.path / CURRENT
        if not file.exists():
            return None
        try:
            text = file.read_text(encoding="utf-8")
            if not is_sealed(text):
                raise ValueError
            content = json.loads(text)
            return Current(version=content["version"], source=content["source"])
        except (ValueError, KeyError, TypeError):
            raise DamagedError(f"{file} is damaged; name a new or empty folder") from None

    def publish(self, recommender: Recommender, source: str, histories: bool) -> int:
        """Write a recommender as the next version, and make it the current one.

        Args:
            recommender: on the CPU.
            source: `fingerprint` of its run.
            histories: write users and their histories too.

        Returns:
            The version.
        """
        with locked(self.path, wait=True):
            return self._publish(recommender, source, histories)

    def change(self, change: Callable[[Recommender], object], histories: bool) -> int:
        """Publish the current version with a change, such as added items; other changes wait.

        Args:
            change: gets the recommender.
            histories: see `publish`.
        """
        with locked(self.path, wait=True):
            current = self.current()
            assert current is not None
            recommender = self._load(current.version)
            change(recommender)
            return self._publish(recommender, current.source, histories)

    def load(self) -> Served:
        """Load the current version; its tables are mapped, not read.

        Raises:
            FolderError: there is none, or it was removed just now because newer ones exist.
        """
        current = self.current()
        if current is None:
            raise FolderError(f"{self.path} has no bundle yet; publish one first")
        return Served(current.version, self._load(current.version))

    def _load(self, version: int) -> Recommender:
        folder = self.path / str(version)
        run = load_run(folder, "cpu", mapped=True)
        models = [member.model for member in run.members] if isinstance(run, Ensemble) else [run.model]
        stage = ENSEMBLE if isinstance(run, Ensemble) else STAGE
        written = require_folder(folder, stage, *names_of(len(models)), EVERYBODY)["files"]
        recommender = Recommender(run, tables=map_tables(models, folder))
        if not isinstance(self.index, Exact):
            require_folder(folder, stage, *(name for name in written if name.startswith(INDEX)))
            recommender.index = self.index.load(recommender.ranker, folder)
        return recommender

    def _publish(self, recommender: Recommender, source: str, histories: bool) -> int:
        current = self.current()
        version = 1 if current is None else current.version + 1
        folder = self.path / str(version)
        stage = ENSEMBLE if isinstance(recommender.run, Ensemble) else STAGE
        if (read_record(folder) or {"stage": stage})["stage"] != stage:
            _remove(folder)  # begun by a process that did not finish it; one of this stage is written over
        begin_folder(folder, stage, names_of(len(recommender.ranker.members)))
        recommender.save(folder, histories=histories, replace=True)
        names = save_tables(recommender.ranker, folder)
        known = recommender.dataset.histories
        names += self.index.write(recommender.ranker, known, folder, self.events)
        add_files(folder, names)
        write_record(self.path / CURRENT, Current(version=version, source=source).model_dump())
        _remove(self.path / str(version - KEPT))
        return version


def _remove(version: Path) -> None:
    """Delete the files that a bundle has, and the folder if nothing else is in it."""
    remove_folder(version / "data")
    remove_folder(version)
