"""Making one cell: claim its folder, train, test once, write the result last."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from prism_rec.compare.plan import Cell
from prism_rec.compare.result import RANKS, CellResult, GateWeights, load_result
from prism_rec.compare.schedule import Tell
from prism_rec.data.dataset import Dataset, Queries
from prism_rec.errors import InputError
from prism_rec.evaluate.questions import answer
from prism_rec.evaluate.report import report
from prism_rec.folders import LOCK, MANIFEST, hash_file, require_folder, write_text_atomically
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker
from prism_rec.train import EpochRecord, Listener, RunConfig, stopped_by, train_run
from prism_rec.train.listeners import read_log
from prism_rec.train.loop import LAST
from prism_rec.train.run import CONFIG, DATA, LOG
from prism_rec.train.shared_data import fingerprint, link_dataset
from prism_rec.version import VERSION

CLAIM = "cell.json"
BEFORE_TRAINING = (LOCK, CLAIM, CONFIG, DATA)
"""What stands in a cell's folder before its first epoch has ended."""


def check_claims(cells: Sequence[Cell]) -> None:
    """Check that each folder is free, has no epoch yet, or was begun with the same settings on the same data.

    Raises:
        InputError: some are not (all are named), another version began one, or the data is no prepared dataset.
    """
    others = {cell.folder for cell in cells if _has_epochs(cell.folder) and not _is_claimed_by(cell)}
    if others:
        names = ", ".join(map(str, _gather_folders(others)))
        raise InputError(
            f"begun with other settings or data: {names}; name another --out, or remove what is there"
        )


def _has_epochs(folder: Path) -> bool:
    """Return whether there is anything to lose; in a cell that was refused before it trained there is not."""
    inside = folder.iterdir() if folder.exists() else ()
    return any(path.name not in BEFORE_TRAINING and path.suffix != ".partial" for path in inside)


def _gather_folders(folders: set[Path]) -> list[Path]:
    """Return folders that hold these cells and nothing else, as few as there are."""
    for _ in ("seeds", "models", "data"):
        for above in {folder.parent for folder in folders}:
            inside = set(above.iterdir())
            if inside <= folders:
                folders = folders - inside | {above}
    return sorted(folders)


def _is_claimed_by(cell: Cell) -> bool:
    """Return whether the folder is the cell's, or nobody's."""
    data, path = fingerprint(cell.dataset), cell.folder / CLAIM
    if not path.exists():
        return True
    try:
        claim = json.loads(path.read_text(encoding="utf-8"))
        # Compared as settings, not as texts: one that a later version has added stands in no older file.
        return (RunConfig.parse(claim["config"], str(path)), claim["data"]) == (cell.config, data)
    except InputError:  # a ValueError too, but the file is whole and its results may be good
        raise InputError(
            f"{cell.folder} was begun by another version of prism-rec, with settings that this one does not know; "
            "name another --out, or go on with that version"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged; remove {cell.folder}") from None


def _clear(folder: Path) -> None:
    """Remove everything but the lock, which is held."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def run_cell(cell: Cell, device: str, threads: int, tell: Tell) -> str:
    """Train the cell, or go on where it stopped, and rank the test targets; nothing is done if it has a result.

    Call it with the cell `locked`.

    Returns:
        What was done, for people.

    Raises:
        InputError: see `check_claims` and `train_run`.
    """
    check_claims([cell])
    if load_result(cell.folder) is not None:
        return "kept"
    if not _has_epochs(cell.folder):
        _clear(cell.folder)  # begun, maybe with other settings; it takes a moment to make again
    trained, begun = (cell.folder / MANIFEST).exists(), (cell.folder / LAST).exists()
    claim = {"config": cell.config.model_dump(mode="json"), "data": fingerprint(cell.dataset)}
    write_text_atomically(cell.folder / CLAIM, json.dumps(claim, indent=2) + "\n")
    torch.set_num_threads(threads)
    dataset = Dataset.load(cell.dataset)
    if cell.config.features == "given":  # a control has features of its own
        link_dataset(cell.dataset, cell.pool, cell.folder / DATA)
    herald = _Herald(tell, cell.config.train.metric)
    model = train_run(dataset, cell.config, cell.folder, True, device, [herald]).model
    questions, settings = dataset.queries("test"), cell.config
    began = time.perf_counter()
    evaluation = answer(Ranker(model, settings.train.rank_batch_size), questions)
    seconds = time.perf_counter() - began
    evaluation.save(cell.folder / RANKS)
    facts, epochs = require_folder(cell.folder, "train"), read_log(cell.folder / LOG)
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
        test=report(dataset, "test", evaluation),
        gate=weigh(model, questions, settings.train.rank_batch_size),
        ranks_sha256=hash_file(cell.folder / RANKS),
    ).save(cell.folder)
    if trained:
        return "tested again"
    return f"done, went on from epoch {herald.first}" if begun else "done"


class _Herald(Listener):
    """Tells of each epoch; `first` is the first that it hears of: where a run went on, the last from before."""

    def __init__(self, tell: Tell, metric: str) -> None:
        self.tell = tell
        self.metric = metric
        self.first: int | None = None

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        """Tell the newest record."""
        self.first = self.first or records[-1].epoch
        text = f"loss {records[-1].loss:.3f}"
        if best_epoch is not None:
            text += f", best {self.metric} {records[best_epoch - 1].validation[self.metric]:.4f}"
        self.tell(text, records[-1].epoch)


@torch.inference_mode()
def weigh(model: SequenceRecommender, questions: Queries, batch_size: int) -> GateWeights | None:
    """Return the gate's weights after each question's history; None if the model has no gate of its own users."""
    if not model.fusion.personal:
        return None
    ranker = Ranker(model, batch_size)
    rows = np.arange(len(questions.users))
    parts = [
        ranker.states(questions.histories, rows[begin : begin + batch_size]).weights.cpu().numpy()
        for begin in range(0, len(rows), batch_size)
    ]
    columns = np.concatenate(parts).astype(np.float64).T
    return GateWeights(
        components=model.fusion.component_names,
        mean=tuple(columns.mean(1).tolist()),
        quantiles=tuple(np.quantile(columns, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1).T.tolist()),
        histogram=tuple(np.histogram(column, 20, (0, 1))[0].tolist() for column in columns),
    )
