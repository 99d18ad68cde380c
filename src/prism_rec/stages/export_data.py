"""The stage `export-data`: a dataset to the files of another library."""

from pathlib import Path

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.data.exports import ExportFormat
from prism_rec.events import Events
from prism_rec.folders import MANIFEST, begin_folder, check_folder, finish_folder, require_folder
from prism_rec.inputs import checked
from prism_rec.stages.chain import Step, run_chain

STAGE = "export-data"


class ExportData(Config):
    """Which dataset is written in which format."""

    data: Path
    """A dataset folder."""
    format: ExportFormat
    """The format of the files, named after the library that reads them."""


@checked
def export_data(settings: ExportData, out: Path, events: Events = Events()) -> list[Path]:
    """Write a dataset as another library reads it.

    Nothing is done if it was done before with the same settings and dataset.

    Args:
        settings: dataset and format.
        out: the folder to write; an earlier export there is replaced.
        events: hears what is done.

    Returns:
        The files.

    Raises:
        FolderError: the dataset is unfinished or damaged, or `out` has something else.
        DataError: an id that the format cannot have.
    """

    def run() -> None:
        dataset = Dataset.load(settings.data)
        begin_folder(out, STAGE)
        names = settings.format.write(dataset, out)
        config = {"format": settings.format.model_dump(mode="json")}
        finish_folder(out, STAGE, config, names, counts=dataset.counts())

    step = Step(
        name=STAGE,
        folder=out,
        stage=STAGE,
        settings=settings.model_dump(mode="json"),
        inputs=(settings.data / MANIFEST,),
        run=run,
        check=lambda: check_folder(out, STAGE),
    )
    run_chain([step], out / "steps.json", events)
    return [out / name for name in require_folder(out, STAGE)["files"]]
