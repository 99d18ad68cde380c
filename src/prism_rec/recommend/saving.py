"""A recommender as a folder: that of a run, with items that were added, and with or without histories."""

import shutil
from dataclasses import replace
from pathlib import Path

from prism_rec.data.split import LeaveOneOut
from prism_rec.folders import begin_folder, check_empty, finish_folder
from prism_rec.recommend.everybody import FILE, Everybody
from prism_rec.records import MANIFEST, read_manifest
from prism_rec.runs.ensemble import STAGE as ENSEMBLE
from prism_rec.runs.ensemble import Ensemble
from prism_rec.runs.folder import STAGE, RunFolder
from prism_rec.runs.run import Run
from prism_rec.training.checkpoint import save_tensors

WRITTEN_AGAIN = ("stage", "prism_rec", "config", "inputs", "files", "claimed", "sha256")


def save(run: Run | Ensemble, folder: Path, everybody: Everybody, histories: bool, replacing: bool) -> None:
    """Write a run as a folder that `load` reads; see `Recommender.save`.

    Without histories, the dataset has no users, events or notes, and its split has no targets: such a run can be used,
    and neither evaluated nor trained further.

    Raises:
        FolderError: the folder has something in it that may not be replaced.
    """
    files, dataset = RunFolder(folder), run.dataset
    manifest = read_manifest(run.folder.path / MANIFEST)
    facts = {name: value for name, value in manifest.items() if name not in WRITTEN_AGAIN}
    if not replacing:
        check_empty(folder, resumes=False)
    if not histories:
        dataset = replace(
            dataset,
            interactions=dataset.interactions.clear(),
            users=dataset.users.clear(),
            rule=LeaveOneOut(),
            notes=(),
            left_out=dataset.left_out.filter(role="item"),
        )
    own = [files.config, files.best, files.log, files.data] if isinstance(run, Run) else []
    begin_folder(folder, STAGE if own else ENSEMBLE, [FILE, *(path.name for path in own)])
    everybody.save(folder)
    if isinstance(run, Ensemble):
        run.write(folder, dataset, FILE, **facts)
        return
    files.write_config(run.config)
    dataset.save(files.data)
    save_tensors(files.best, run.model.state_dict(), {"epoch": manifest["best_epoch"]})
    shutil.copyfile(run.folder.log, files.log)
    names = [files.config.name, files.best.name, files.log.name, FILE, f"{files.data.name}/{MANIFEST}"]
    finish_folder(
        folder,
        STAGE,
        run.config.model_dump(mode="json"),
        names,
        **facts | {"parameters": sum(parameter.numel() for parameter in run.model.parameters())},
    )
