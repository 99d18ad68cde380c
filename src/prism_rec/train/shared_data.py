"""One copy of a dataset for many runs, each of which still stands alone."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE
from prism_rec.folders import MANIFEST, locked, require_folder


def fingerprint(dataset: Path) -> dict[str, str]:
    """Return the hash of each file of a prepared dataset, by name.

    Raises:
        InputError: it is no prepared dataset.
    """
    files = require_folder(dataset, STAGE)["files"]
    return {name: facts["sha256"] for name, facts in files.items()}


def link_dataset(dataset: Path, pool: Path, target: Path) -> None:
    """Put a dataset where a run expects its own, without writing it again: hard links to one copy in a pool.

    The copy is made the first time. Nothing ever writes to it afterwards, so that the original may change or go, and
    the pool as well: a file stays while a run has it. Where a file system has no hard links, files are copied.

    Args:
        dataset: a prepared dataset.
        pool: folder of copies, on the same file system as the target; several processes may use it at once.
        target: left alone if it holds a finished dataset.

    Raises:
        InputError: it is no prepared dataset, or was changed since it was written.
    """
    if (target / MANIFEST).exists():
        return
    digest = hashlib.sha256(json.dumps(fingerprint(dataset), sort_keys=True).encode()).hexdigest()
    copy = pool / digest[:16]
    with locked(pool, wait=True):
        if not (copy / MANIFEST).exists():
            Dataset.load(dataset).save(copy)
    partial = target.with_name(target.name + ".partial")
    for unfinished in (partial, target):
        shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(copy, partial, copy_function=_link)
    partial.rename(target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
