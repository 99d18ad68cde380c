"""A run: one folder with all that training made and all that using the model needs.

config.json         the resolved settings
data/               the dataset with the features that the model sees, so that a run stands alone
best.safetensors    weights of the best validation epoch
last.safetensors    the whole state after the latest epoch, while the run goes on
log.jsonl           one object an epoch
manifest.json       written last: a run without it is unfinished
"""

import json
import resource
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from prism_rec.data.controls import control_features
from prism_rec.data.dataset import Dataset
from prism_rec.devices import choose_device
from prism_rec.errors import InputError
from prism_rec.evaluate.metrics import accuracy
from prism_rec.evaluate.questions import answer
from prism_rec.folders import MANIFEST, finish_folder, hash_file, require_folder, write_text_atomically
from prism_rec.model import SequenceRecommender
from prism_rec.train.checkpoint import load_tensors
from prism_rec.train.config import RunConfig
from prism_rec.train.listeners import JsonLog
from prism_rec.train.loop import BEST, LAST, EpochRecord, Listener, best_epoch, fit

STAGE = "train"
CONFIG = "config.json"
LOG = "log.jsonl"
DATA = "data"


@dataclass(frozen=True)
class Run:
    """A finished run, ready to be used."""

    config: RunConfig
    dataset: Dataset
    model: SequenceRecommender


def train_run(
    dataset: Dataset,
    config: RunConfig,
    folder: Path | str,
    resume: bool = False,
    device: str = "auto",
    listeners: Sequence[Listener] = (),
) -> Run:
    """Train a model on a dataset into a run folder; test data is not looked at.

    Args:
        dataset: prepared data.
        config: of the whole run.
        folder: new or empty; or, with `resume`, one where the same run was begun, or where `link_dataset` has put
            the dataset.
        resume: go on where the run stopped, or begin it.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is one.
        listeners: beside the log in the folder.

    Raises:
        InputError: a folder that holds something already, or another run than the one to be resumed.
    """
    folder = Path(folder)
    torch.manual_seed(config.train.seed)
    features = control_features(dataset.features, config.features, config.train.seed)
    dataset = replace(dataset, features=features)
    # Before the folder is touched: settings that do not fit the data leave nothing behind.
    model = config.model.build(dataset.number_of_items, dataset.features).to(choose_device(device))
    _open(folder, dataset, config, resume)
    if (folder / MANIFEST).exists():
        return load_run(folder, device)
    questions = dataset.queries("validation")

    def validate(model: SequenceRecommender) -> Mapping[str, float]:
        return accuracy(
            answer(model, questions, config.model.max_length, config.train.rank_batch_size, k=0).ranks
        )

    records = fit(
        model,
        config.objective.build(),
        dataset.training(),
        config.train,
        config.model.max_length,
        validate,
        folder,
        [JsonLog(folder / LOG), *listeners],
        config.model.id_events,
    )
    _finish(folder, config, model, records)
    return Run(config, dataset, model.eval())


def load_run(folder: Path, device: str = "auto") -> Run:
    """Load a finished run with the weights of its best epoch.

    Raises:
        InputError: unfinished, damaged, or not a run.
    """
    manifest = require_folder(folder, STAGE)
    if hash_file(folder / BEST) != manifest["files"][BEST]["sha256"]:
        raise InputError(f"{folder / BEST} was changed after it was written; train again")
    config = RunConfig.parse(_read_config(folder), str(folder / CONFIG))
    dataset = Dataset.load(folder / DATA)
    model = config.model.build(dataset.number_of_items, dataset.features)
    try:
        model.load_state_dict(load_tensors(folder / BEST)[0])
    except RuntimeError:
        raise InputError(f"{folder / BEST} does not fit {folder / CONFIG}; train again") from None
    return Run(config, dataset, model.to(choose_device(device)).eval())


def _open(folder: Path, dataset: Dataset, config: RunConfig, resume: bool) -> None:
    """Make the folder ready, or check that it is the run to be resumed; nothing that is not the run's is touched."""
    data, begun = folder / DATA, (folder / CONFIG).exists()
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not resume)):
        raise InputError(f"{folder} is not empty; add --resume to go on with it, or name another folder")
    # Compared as settings, not as texts: one that a later version has added stands in no older file.
    if begun and RunConfig.parse(_read_config(folder), str(folder / CONFIG)) != config:
        raise InputError(f"{folder} was begun with other settings; name another folder, or the same settings")
    if (data / MANIFEST).exists():
        if not _same_data(Dataset.load(data), dataset):
            raise InputError(f"{folder} was begun on other data; name another folder, or the same data")
    elif not begun and (data.exists() or (folder / LAST).exists()):
        raise InputError(f"{folder} is not empty and no run was begun there; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    # Settings before data: where they stand, unfinished data is the run's own and may be written again.
    write_text_atomically(folder / CONFIG, json.dumps(config.model_dump(mode="json"), indent=2) + "\n")
    if not (data / MANIFEST).exists():
        shutil.rmtree(data, ignore_errors=True)
        dataset.save(data)


def _finish(
    folder: Path,
    config: RunConfig,
    model: SequenceRecommender,
    records: Sequence[EpochRecord],
) -> None:
    best = best_epoch(records, config.train.metric)
    assert best is not None
    finish_folder(
        folder,
        STAGE,
        config.model_dump(mode="json"),
        [CONFIG, BEST, LOG, f"{DATA}/{MANIFEST}"],
        epochs=len(records),
        best_epoch=best,
        validation=records[best - 1].validation,
        seconds=round(sum(record.seconds for record in records), 3),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        peak_memory_mb=round(_peak_memory(model.device) / 2**20),
        device=str(model.device),
    )
    (folder / LAST).unlink()


def _peak_memory(device: torch.device) -> int:
    """Return the most bytes held at once: of the GPU by this run; on the CPU by the process since it began."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read_config(folder: Path) -> dict[str, object]:
    try:
        settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{folder / CONFIG} is missing or not JSON; train again") from None
    if not isinstance(settings, dict):
        raise InputError(f"{folder / CONFIG} holds no settings; train again")
    return settings


def _same_data(one: Dataset, other: Dataset) -> bool:
    return (
        one.interactions.equals(other.interactions)
        and one.items.equals(other.items)
        and one.users.equals(other.users)
        and (one.rule, one.time) == (other.rule, other.time)
        and one.features.keys() == other.features.keys()
        and all(table.equals(other.features[name]) for name, table in one.features.items())
    )
