"""A cell of a comparison: a job that trains a model and tests it once."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from prism_rec.comparison.plan import Cell
from prism_rec.comparison.result import CellResult, load_result
from prism_rec.config import name_difference
from prism_rec.errors import DamagedError, FolderError, SettingsError
from prism_rec.evaluation.questions import answer
from prism_rec.evaluation.report import report
from prism_rec.events import Events
from prism_rec.explain.gate_weights import weigh
from prism_rec.files import hash_file
from prism_rec.records import is_sealed, write_record
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.run import Run
from prism_rec.runs.shared_data import SharedData, fingerprint
from prism_rec.runs.train import train
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import stopped_by
from prism_rec.version import VERSION


def check_claims(cells: Sequence[Cell]) -> None:
    """Check that every folder is free, has no epoch yet, or was begun with the same settings on the same data.

    Raises:
        FolderError: some folders were begun for something else (all are named), or by another version.
        DamagedError: a claim cannot be read.
    """
    others = {
        cell.folder: difference
        for cell in cells
        if RunFolder(cell.folder).has_epochs and (difference := _differs(cell))
    }
    if others:
        names = ", ".join(map(str, _gather_folders(set(others))))
        raise FolderError(
            f"begun with other settings or data ({next(iter(others.values()))}): {names}; name another folder"
        )


def _gather_folders(folders: set[Path]) -> list[Path]:
    """Return the fewest folders that contain these cells and nothing else."""
    for _ in ("seeds", "models", "data"):
        for above in {folder.parent for folder in folders}:
            inside = set(above.iterdir())
            if inside <= folders:
                folders = folders - inside | {above}
    return sorted(folders)


def _differs(cell: Cell) -> str | None:
    """Return how the claim of a folder differs from the cell; None if it does not, or if there is no claim."""
    data, path = fingerprint(cell.dataset), RunFolder(cell.folder).claim
    if not path.exists():
        return None
    try:
        if not is_sealed(text := path.read_text(encoding="utf-8")):
            raise ValueError
        claim = json.loads(text)
        # Settings are compared, not texts: an older file lacks a setting that a later version has added.
        difference = name_difference(RunConfig.parse(claim["config"], str(path)), cell.config)
        return difference or (None if claim["data"] == data else "other data")
    except SettingsError:  # a ValueError too, but the file is whole and its results may be good
        raise FolderError(
            f"{cell.folder} was begun by another version of prism-rec, with settings that this one does not know; "
            "name another folder, or continue with that version"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DamagedError(f"{path} was changed after it was written; compare in another folder") from None


def run_cell(cell: Cell, device: str, threads: int, events: Events) -> str:
    """Train a cell and rank the test targets once; if it has a result, nothing is done.

    An interrupted cell continues from its last epoch. Call it with the cell's folder `locked`.

    Returns:
        What was done, for people.

    Raises:
        InputError: see `check_claims` and `train`.
    """
    check_claims([cell])
    if load_result(cell.folder) is not None:
        return "kept"
    folder = RunFolder(cell.folder)
    if not folder.has_epochs:
        folder.remove()  # maybe begun with other settings; making it again takes a moment
    trained = folder.is_trained
    if not trained:
        folder.begin()
    claim = {"config": cell.config.model_dump(mode="json"), "data": fingerprint(cell.dataset)}
    write_record(folder.claim, claim)
    torch.set_num_threads(threads)
    data = SharedData(cell.dataset, cell.pool)
    run = train(cell.config, cell.folder, data=data, device=device, events=events)
    _test(cell, run, threads)
    return "tested again" if trained else "done"


def _test(cell: Cell, run: Run, threads: int) -> None:
    """Rank the test targets, weigh the gate, and write the result."""
    questions, settings, folder = run.dataset.queries("test"), run.config, run.folder
    began = time.perf_counter()
    evaluation = answer(run.ranker(), questions)
    seconds = time.perf_counter() - began
    evaluation.save(folder.ranks)
    facts, epochs = folder.read_manifest(), folder.read_log()
    CellResult(
        version=VERSION,
        data=cell.data,
        model=cell.model,
        seed=cell.seed,
        config=settings.model_dump(mode="json"),
        search_trials=cell.search_trials,
        loss=settings.objective.kind,
        negatives=getattr(settings.objective, "negatives", None),
        device=facts["device"],
        threads=threads,
        parameters=facts["parameters"],
        peak_memory_mb=facts["peak_memory_mb"],
        training_seconds=round(sum(record.seconds for record in epochs), 3),
        testing_seconds=round(seconds, 3),
        best_epoch=facts["best_epoch"],
        stopped_by=stopped_by(epochs, settings.train) or "epochs",
        epochs=epochs,
        test=report(run.dataset, "test", evaluation, run.seen),
        gate=weigh(run.ranker(), questions.histories),
        ranks_sha256=hash_file(folder.ranks),
    ).save(folder)
