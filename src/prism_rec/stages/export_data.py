"""The stage `export-data`: a dataset to the files of another library."""

import os
from contextlib import suppress
from pathlib import Path

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.data.exports import ExportFormat
from prism_rec.events import Events
from prism_rec.files import locked
from prism_rec.folders import begin_folder, check_folder, finish_folder, require_folder
from prism_rec.inputs import checked
from prism_rec.records import MANIFEST
from prism_rec.stages.chain import Step, recorded, run_chain

STAGE = "export-data"
PARTIAL = "partial"


class ExportData(Config):
    """Which dataset is written in which format."""

    data: Path
    """A dataset folder."""
    format: ExportFormat
    """The format of the files, named after the library that reads them."""


@checked
def export_data(
    settings: ExportData, out: Path, events: Events = Events(), *, replace: bool = False
) -> list[Path]:
    """Write a dataset as another library reads it.

    Nothing is done if it was done before with the same settings and dataset.

    Args:
        settings: dataset and format.
        out: the folder to write; new, empty, or with an export of the same settings.
        events: hears what is done.
        replace: replace an export of other settings too.

    Returns:
        The files.

    Raises:
        FolderError: the dataset is unfinished or damaged, or `out` has something else.
        DataError: an id that the format cannot have.
    """

    def run() -> None:
        dataset = Dataset.load(settings.data)
        begin_folder(out, STAGE, [PARTIAL])
        names = _write(settings.format, dataset, out)
        for note in _say_left_out(settings.format, dataset):
            events.note(f"note: {note}")
        config = {"format": settings.format.model_dump(mode="json")}
        finish_folder(out, STAGE, config, names, kept=[PARTIAL], counts=dataset.counts())

    step = Step(
        name=STAGE,
        folder=out,
        stage=STAGE,
        settings=recorded(settings, out),
        inputs=(settings.data / MANIFEST,),
        run=run,
    )
    check_folder(out, STAGE, [settings.data])
    with locked(out):
        run_chain([step], out, events, replace)
        return [out / name for name in require_folder(out, STAGE)["files"]]


def _say_left_out(export_format: ExportFormat, dataset: Dataset) -> list[str]:
    """Return one line for people on each thing of the dataset that the format has no place for."""
    lacks, kind, notes = getattr(export_format, "leaves_out", ()), export_format.kind, []
    if "vectors" in lacks and dataset.features:
        notes.append(f"the format {kind} has no vectors: those of {', '.join(dataset.features)} are left out")
    if "split" in lacks and dataset.rule.kind != "leave-one-out":
        notes.append(
            f"the format {kind} has no split: {dataset.rule.kind} is left out, and another library's own split has "
            "other questions"
        )
    return notes


def _write(export_format: ExportFormat, dataset: Dataset, out: Path) -> list[str]:
    """Write the files into a folder of the same name inside `out`, and move them to their places."""
    inside = out / PARTIAL / out.resolve().name
    inside.mkdir(parents=True, exist_ok=True)
    names = export_format.write(dataset, inside)
    begin_folder(out, STAGE, names)
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(inside / name, out / name)
    with suppress(OSError):
        inside.rmdir()
        inside.parent.rmdir()
    return names
