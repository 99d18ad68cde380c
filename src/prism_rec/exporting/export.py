"""The stage `export`: a run to a folder that recommends without it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from prism_rec.errors import SettingsError
from prism_rec.events import Events
from prism_rec.exporting import reader
from prism_rec.exporting.encoder import trace
from prism_rec.exporting.parity import Parity, compare
from prism_rec.exporting.settings import Export
from prism_rec.exporting.tables import tables_of
from prism_rec.files import locked, write_text_atomically
from prism_rec.folders import begin_folder, check_folder, finish_folder
from prism_rec.inputs import checked
from prism_rec.rank import Ranker
from prism_rec.recommend.recommender import Recommender, load
from prism_rec.records import MANIFEST
from prism_rec.stages.chain import Step, recorded, run_chain

STAGE = "export"


@checked
def export(settings: Export, out: Path, events: Events = Events(), *, replace: bool = False) -> Parity:
    """Write a run as a folder that recommends without it.

    The folder has the part of the model that reads histories, the tables of the catalogue, and ids. What it recommends
    is compared with the run before the folder is finished.

    Args:
        settings: run and format.
        out: the folder to write; new, empty, or with an export of the same settings.
        events: hears what is done.
        replace: replace an export of other settings too.

    Returns:
        How the folder and the run compare.

    Raises:
        FolderError: the run is unfinished or damaged, or `out` has something else.
        SettingsError: the folder combines several runs.
        InputError: the model cannot be traced or has an operation that the format lacks, a library is missing, or the
            folder recommends other items than the run.
    """

    def run() -> None:
        recommender = load(settings.run, "cpu")
        ranker = recommender.ranker
        if not isinstance(ranker, Ranker):
            raise SettingsError(f"{settings.run} combines several runs; export one of them: name its folder")
        begin_folder(out, STAGE, settings.format.files)
        program, window = trace(ranker.model, ranker.items)
        settings.format.write(program, out)
        names = [*settings.format.files, *_write(recommender, ranker, settings, window, out)]
        exported = reader.ExportedRecommender(out, settings.format.load(out))
        parity = compare(exported, recommender)
        parity.require_equal()
        config = settings.model_dump(mode="json", exclude={"run"})
        finish_folder(out, STAGE, config, names, [settings.run / MANIFEST], parity=parity.model_dump())

    step = Step(STAGE, out, STAGE, recorded(settings, out), (settings.run / MANIFEST,), run)
    check_folder(out, STAGE, [settings.run])
    with locked(out):
        run_chain([step], out, events, replace)
        return Parity.of_folder(out)


def _write(
    recommender: Recommender, ranker: Ranker, settings: Export, window: int | None, out: Path
) -> list[str]:
    """Write tables, ids and facts; return the names of the files."""
    model, dataset = ranker.model, recommender.dataset
    tables, sizes = tables_of(ranker, recommender.by_popularity())
    facts: dict[str, Any] = {
        "format": settings.format.kind,
        "components": list(model.component_names),
        "max_length": model.max_length,
        "window": window,
        "seen": ranker.seen,
        "personal": model.content and model.fusion.personal,
        "groups": sizes,
        "tables": list(tables),
    }
    documents: dict[str, Any] = {reader.FACTS: facts, reader.ITEMS: recommender.names()}
    if settings.users:
        ids = dataset.users["user_id"].to_list()
        documents[reader.USERS] = {user: recommender.history_of(user) for user in ids}
    names = [*documents, *(f"{name}.npy" for name in tables)]
    begin_folder(out, STAGE, names)
    for name, document in documents.items():
        write_text_atomically(out / name, json.dumps(document) + "\n")
    for name, table in tables.items():
        np.save(out / f"{name}.npy", table, allow_pickle=False)
    return names
