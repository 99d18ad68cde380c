"""One copy of a dataset for many runs, each of which is complete without the others."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE
from prism_rec.errors import FolderError
from prism_rec.files import locked
from prism_rec.folders import begin_folder, copy_manifest, is_finished, require_folder
from prism_rec.records import MANIFEST


@dataclass(frozen=True)
class SharedData:
    """A prepared dataset that many runs use.

    Args:
        folder: of the dataset.
        pool: folder for copies, on the file system of the runs; several processes may use it at once.
    """

    folder: Path
    pool: Path

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, loaded once."""
        return Dataset.load(self.folder)

    def link(self, target: Path) -> None:
        """Put the dataset into `target` without a second copy of its files: by hard links to a copy in the pool.

        The copy is made the first time and never modified. Original and pool may be changed or deleted: the links keep
        the files for the runs that use them. If the file system has no hard links, files are copied.

        Args:
            target: left as it is if it has a finished dataset.

        Raises:
            FolderError: the folder is not a prepared dataset.
            DamagedError: the dataset was changed since it was written.
        """
        if (target / MANIFEST).exists():
            return
        digest = hashlib.sha256(json.dumps(fingerprint(self.folder), sort_keys=True).encode()).hexdigest()
        copy = self.pool / digest[:16]
        with locked(self.pool, wait=True):
            if not is_finished(copy, STAGE):
                dataset = Dataset.load(self.folder)
                try:
                    dataset.save(copy)
                except FolderError:  # its record was changed, so that nothing there may be replaced
                    copy = copy.with_name(f"{copy.name}-again")
                    dataset.save(copy)
        files = require_folder(copy, STAGE)["files"]
        begin_folder(target, STAGE, files)
        for name in files:
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).unlink(missing_ok=True)
            _link(str(copy / name), str(target / name))
        copy_manifest(copy, target)


def fingerprint(dataset: Path) -> dict[str, str]:
    """Return the hash of each file of a prepared dataset, by name.

    The cards are left out: a later version may describe the same data in other words.

    Raises:
        FolderError: the folder is not a prepared dataset.
    """
    files = require_folder(dataset, STAGE)["files"]
    return {name: facts["sha256"] for name, facts in files.items() if not name.startswith("card.")}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
