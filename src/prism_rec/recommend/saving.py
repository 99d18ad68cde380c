"""A recommender as a folder: that of a run, with items that were added, and with or without histories."""

import shutil
from dataclasses import replace
from pathlib import Path

from prism_rec.data.split import LeaveOneOut
from prism_rec.folders import begin_folder, check_empty, finish_folder
from prism_rec.recommend.everybody import FILE, Everybody
from prism_rec.records import MANIFEST
from prism_rec.runs.folder import STAGE, RunFolder
from prism_rec.runs.run import Run
from prism_rec.training.checkpoint import save_tensors

WRITTEN_AGAIN = ("stage", "prism_rec", "config", "inputs", "files")


def save(run: Run, folder: Path, everybody: Everybody, histories: bool) -> None:
    """Write a run as a folder that `load` reads; see `Recommender.save`.

    Without histories, the dataset has no users, events or notes, and its split has no targets: such a run can be used,
    and neither evaluated nor trained further.

    Raises:
        FolderError: the folder has something in it.
    """
    files, dataset = RunFolder(folder), run.dataset
    manifest = run.folder.read_manifest()
    check_empty(folder)
    begin_folder(folder, STAGE)
    if not histories:
        dataset = replace(
            dataset,
            interactions=dataset.interactions.clear(),
            users=dataset.users.clear(),
            rule=LeaveOneOut(),
            notes=(),
            left_out=dataset.left_out.filter(role="item"),
        )
    files.write_config(run.config)
    dataset.save(files.data)
    save_tensors(files.best, run.model.state_dict(), {"epoch": manifest["best_epoch"]})
    shutil.copyfile(run.folder.log, files.log)
    everybody.save(folder)
    facts = {name: value for name, value in manifest.items() if name not in WRITTEN_AGAIN}
    names = [files.config.name, files.best.name, files.log.name, FILE, f"{files.data.name}/{MANIFEST}"]
    finish_folder(
        folder,
        STAGE,
        run.config.model_dump(mode="json"),
        names,
        **facts | {"parameters": sum(parameter.numel() for parameter in run.model.parameters())},
    )
