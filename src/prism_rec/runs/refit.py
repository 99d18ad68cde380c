"""The stage `refit`: the settings of a finished run, trained again on everything."""

from dataclasses import replace
from pathlib import Path

from prism_rec.data.dataset import Dataset
from prism_rec.data.split import NoSplit
from prism_rec.errors import FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.folders import add_inputs, hashes_of, is_finished
from prism_rec.inputs import checked
from prism_rec.records import MANIFEST, read_manifest
from prism_rec.runs.folder import STAGE
from prism_rec.runs.run import Run
from prism_rec.runs.train import train


@checked
def refit(
    run: Run | Path | str,
    out: Path | str,
    *,
    data: Dataset | Path | str | None = None,
    start: Run | Path | str | None = None,
    device: str = "auto",
    resume: bool = True,
    events: Events = Events(),
) -> Run:
    """Train the model of a run again on all events, those of validation and test too.

    Validation of the first run has chosen the number of epochs: its best epoch. The new run takes as many, and nothing
    is measured. It is an ordinary run: `config.json` has the number of epochs, and its data has the split none. The
    `inputs` of its manifest name the first run, with the hash of its weights. An interrupted one continues.

    Args:
        run: a finished run whose data has validation targets, or its folder.
        out: folder of the new run; new, empty, or of the same run.
        data: other data with the same modalities, such as that of a log without a minimum of events per user; its split
            is ignored. By default that of the run.
        start: the run whose weights the first run began with, if it did.
        device: see `train`.
        resume: see `train`.
        events: see `train`.

    Raises:
        FolderError: `run` is not finished, or `out` has something else, such as what was made from another run.
        SettingsError: the number of epochs was not chosen by validation, or `start` is missing or not the same.
    """
    first = run if isinstance(run, Run) else Run.load(run, "cpu")
    facts, path = first.folder.read_manifest(), first.folder.path
    if not facts["validation"]:
        raise SettingsError(
            f"{path} has no validation, so it is trained on everything already; use it as it is"
        )
    if (first.folder.read_start() is None) != (start is None):
        how = "with fresh weights; leave `start` out" if start else "from another run; name it as `start`"
        raise SettingsError(f"{path} was begun {how}")
    weights = hashes_of([first.folder.best])
    if is_finished(Path(out), STAGE) and read_manifest(Path(out) / MANIFEST)["inputs"] not in ({}, weights):
        raise FolderError(f"{out} was made from another run; name another folder")
    epochs = facts["best_epoch"]
    number = f"{epochs} epoch{'' if epochs == 1 else 's'}"
    events.note(
        f"training on everything for {number}, because epoch {epochs} of {facts['epochs']} of {path} was the best"
    )
    # The features of a run's own data are those that the model sees, so a control is not applied again.
    given = {"features": "given"} if data is None else {}
    settings = first.config.train.model_copy(update={"epochs": epochs})
    config = first.config.model_copy(update={"train": settings, **given})
    loaded = first.dataset if data is None else data if isinstance(data, Dataset) else Dataset.load(data)
    if short := loaded.dropped.get("users_in_short_histories", 0):
        events.note(
            f"note: {short:,} users had too few events for the split of the data and are not in it; to have them too, "
            "prepare the log with the split none and give it as `data`"
        )
    made = train(
        config,
        out,
        data=replace(loaded, rule=NoSplit()),
        start=start,
        device=device,
        resume=resume,
        events=events,
    )
    add_inputs(made.folder.path, [first.folder.best])
    return made
