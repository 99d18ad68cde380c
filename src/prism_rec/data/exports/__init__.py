"""Exports: datasets as other libraries read them, one file a format, one entry a format in `EXPORTS`."""

from collections.abc import Callable
from pathlib import Path

from prism_rec.data.dataset import Dataset
from prism_rec.data.exports.mmrec import write_mmrec
from prism_rec.data.exports.recbole import write_recbole
from prism_rec.errors import InputError
from prism_rec.folders import begin_folder, finish_folder

STAGE = "export"
Export = Callable[[Dataset, Path], list[str]]
"""Writes a dataset into a folder that exists; returns the names of the files."""

EXPORTS: dict[str, Export] = {"recbole": write_recbole, "mmrec": write_mmrec}


def export(dataset: Dataset, form: str, out: Path) -> None:
    """Write a dataset in another library's format, and the manifest last.

    Args:
        dataset: what to write.
        form: a name in `EXPORTS`.
        out: new, empty, or an earlier export, which is replaced.

    Raises:
        InputError: no such format, an id that the format cannot hold, or a folder of something else.
    """
    if form not in EXPORTS:
        raise InputError(f"unknown format {form!r}; choose one of {', '.join(EXPORTS)}")
    begin_folder(out, STAGE)
    finish_folder(out, STAGE, {"form": form}, EXPORTS[form](dataset, out), counts=dataset.counts())
