"""The stage `train`: a dataset and settings to a run folder."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from prism_rec import processes
from prism_rec.config import name_difference
from prism_rec.data.controls import control_features
from prism_rec.data.dataset import Dataset
from prism_rec.data.queries import say_few
from prism_rec.devices import choose_device
from prism_rec.errors import DamagedError, FolderError
from prism_rec.evaluation.metrics import accuracy
from prism_rec.evaluation.questions import answer
from prism_rec.events import Events
from prism_rec.files import hash_file, locked
from prism_rec.folders import check_empty, check_folder
from prism_rec.inputs import checked
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker
from prism_rec.rank.seen import say_repeats
from prism_rec.records import MANIFEST
from prism_rec.runs.folder import STAGE, RunFolder
from prism_rec.runs.run import Run
from prism_rec.runs.shared_data import SharedData
from prism_rec.runs.warm_start import begin_from
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import AfterEpoch, EpochRecord, fit


@checked
def train(
    config: RunConfig,
    out: Path | str,
    *,
    data: Dataset | Path | str | SharedData,
    start: Run | Path | str | None = None,
    device: str = "auto",
    resume: bool = True,
    after_epoch: AfterEpoch | None = None,
    events: Events = Events(),
) -> Run:
    """Train a model on a dataset into a run folder. Test data is not used.

    If the data has no validation targets (split none), the model is trained on everything for all epochs, and the last
    epoch is kept.

    A run that was interrupted continues from its last epoch, and ends on the CPU with the same numbers. A finished run
    of the same settings and data is loaded. A damaged run begins again, with a note.

    If `torchrun` started several processes, each takes its part of every batch and of validation, and all return the
    run. Only the first writes, reports to `events` and calls `after_epoch`; all must be able to read the folder.

    Args:
        config: all settings of the run.
        out: folder of the run; new, empty, or of the same run.
        data: a prepared dataset or its folder; or one that shares its files with other runs.
        start: a finished run of the same model whose weights this run begins with, such as that of yesterday. Items are
            matched by id; there may be new ones, and new users.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        resume: continue or load a run that the folder has; if false, a folder with any content is refused.
        after_epoch: called with the records of all epochs after every epoch, and once before the first epoch of a run
            that continues; it may raise an error to end training.
        events: progress and notes.

    Raises:
        FolderError: the folder has something else or the data, or a run of other settings or data, or is in use.
        InputError: the settings do not fit the data, or the device is not available.
    """
    with processes.joined(choose_device(device)):
        return _train_here(
            config,
            RunFolder(Path(out)),
            data,
            start,
            device,
            resume,
            after_epoch,
            events if processes.is_first() else Events(),
        )


def _train_here(
    config: RunConfig,
    folder: RunFolder,
    data: Dataset | Path | str | SharedData,
    start: Run | Path | str | None,
    device: str,
    resume: bool,
    after_epoch: AfterEpoch | None,
    events: Events,
) -> Run:
    """Do the part of this process in a training by several processes."""
    place = data.folder if isinstance(data, SharedData) else data
    check_folder(folder.path, STAGE, [] if isinstance(place, Dataset) else [Path(place)])
    dataset = _load(data)
    features = control_features(dataset.features, config.features, config.train.seed)
    dataset = replace(dataset, features=features)
    config = config.model_copy(update={"seen": config.seen_in(dataset)})
    earlier = start if isinstance(start, Run | None) else Run.load(start, "cpu")

    def build() -> SequenceRecommender:
        torch.manual_seed(config.train.seed)
        model = config.model.build(dataset.number_of_items, dataset.features).to(choose_device(device))
        if earlier is not None:
            begin_from(model, dataset, config.model, earlier, events)
        return model

    model = build()  # before the folder is touched: settings that do not fit the data leave nothing behind
    work = _Work(
        config,
        folder,
        dataset,
        data if isinstance(data, SharedData) and config.features == "given" else None,
        None if earlier is None else hash_file(earlier.folder.best),
        after_epoch,
        events,
    )
    first = processes.is_first()
    with locked(folder.path) if first else nullcontext():
        if first and not resume:
            check_empty(folder.path)
        try:
            return _train(model, work)
        except DamagedError as error:
            events.note(f"{str(error).rpartition(';')[0]}; the run begins again")
            processes.wait()  # until all have seen the damage
            if first:
                folder.remove(folder.claim)
            return _train(build(), work)


@dataclass(frozen=True)
class _Work:
    """The input of a training."""

    config: RunConfig
    folder: RunFolder
    dataset: Dataset
    shared: SharedData | None
    start: str | None
    after_epoch: AfterEpoch | None
    events: Events


def _train(model: SequenceRecommender, work: _Work) -> Run:
    """Train into the folder, or load the run that it has."""
    config, folder, events = work.config, work.folder, work.events
    if processes.is_first():
        _open(work)
    processes.wait()
    if folder.is_trained:
        run = Run.load(folder.path, str(model.device))
        events.note(f"done before: {folder.path}")
        return run
    records = _fit(model, work.dataset, config, folder, work.after_epoch, events)
    run = Run(config, work.dataset, model.eval(), folder)
    if processes.is_first():
        run.finish(records)
    processes.wait()
    return run


def _fit(
    model: SequenceRecommender,
    dataset: Dataset,
    config: RunConfig,
    folder: RunFolder,
    after_epoch: AfterEpoch | None,
    events: Events,
) -> list[EpochRecord]:
    """Train the model into the folder, validated on the dataset, and return a record per epoch."""
    questions, seen = dataset.queries("validation"), config.seen_in(dataset)
    for note in (
        say_repeats(questions.repeated_share, "validation", seen),
        say_few(len(questions), "validation"),
    ):
        if note:
            events.note(f"note: {note}")

    def validate(model: SequenceRecommender) -> Mapping[str, float]:
        ranker = Ranker(model, config.train.rank_batch_size, seen)
        return accuracy(
            processes.in_parts(
                len(questions), lambda begin, end: answer(ranker, questions.part(begin, end), k=0).ranks
            )
        )

    def write_log(records: Sequence[EpochRecord]) -> None:
        folder.write_log(records, config.train.metric)
        if after_epoch:
            after_epoch(records)

    return fit(
        model,
        config.objective.build(),
        dataset.training(),
        config.train,
        validate if len(questions.users) else None,
        folder.last,
        folder.best,
        write_log,
        events,
    )


def _load(data: Dataset | Path | str | SharedData) -> Dataset:
    if isinstance(data, Dataset):
        return data
    if isinstance(data, SharedData):
        return data.dataset
    # Several processes on one machine share one copy of the vectors.
    return Dataset.load(Path(data), mapped=processes.world() > 1)


def _open(work: _Work) -> None:
    """Make the folder ready, or check that it has the same run; nothing that is not the run's is touched."""
    folder, dataset = work.folder, work.dataset
    if folder.is_begun:
        _require_same_run(folder, dataset, work.config)
        if folder.read_start() != work.start:
            raise FolderError(
                f"{folder.path} was begun from other weights; name another folder, or give the same `start`"
            )
    if folder.is_trained:
        return
    folder.begin()
    if work.start is None:
        folder.start.unlink(missing_ok=True)
    else:
        folder.write_start(work.start)
    # Settings before data: if they are there, unfinished data is the run's own and may be written again.
    folder.write_config(work.config)
    if not (folder.data / MANIFEST).exists():
        if work.shared:
            work.shared.link(folder.data)
        else:
            dataset.save(folder.data)


def _require_same_run(folder: RunFolder, dataset: Dataset, config: RunConfig) -> None:
    # Settings are compared, not texts: an older file lacks a setting that a later version has added.
    if folder.is_trained:
        folder.read_manifest(folder.config)
    stored = folder.read_config()
    stored = stored.model_copy(update={"seen": stored.seen_in(dataset)})
    difference = name_difference(stored, config)
    if difference:
        raise FolderError(
            f"{folder.path} was begun with other settings: {difference}; name another folder, or use the same settings"
        )
    if (folder.data / MANIFEST).exists() and not _is_same_data(Dataset.load(folder.data), dataset):
        raise FolderError(f"{folder.path} was begun on other data; name another folder, or use the same data")


def _is_same_data(one: Dataset, other: Dataset) -> bool:
    return (
        one.interactions.equals(other.interactions)
        and one.items.equals(other.items)
        and one.users.equals(other.users)
        and (one.rule, one.time) == (other.rule, other.time)
        and one.features.keys() == other.features.keys()
        and all(table.equals(other.features[name]) for name, table in one.features.items())
    )
