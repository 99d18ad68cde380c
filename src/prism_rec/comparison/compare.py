"""The stage `compare`: searches if the recipe asks for them, then cells, then tables and a report."""

from collections.abc import Sequence
from pathlib import Path

from prism_rec.comparison.cell import check_claims, run_cell
from prism_rec.comparison.comparison import Comparison, gather
from prism_rec.comparison.plan import check_models, plan, plan_searches
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.report.page import write_report
from prism_rec.comparison.table import write_tables
from prism_rec.data.dataset_folder import STAGE as DATASET
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.files import locked
from prism_rec.folders import (
    begin_folder,
    check_empty,
    check_folder,
    finish_folder,
    refuse_links,
    require_folder,
)
from prism_rec.inputs import checked
from prism_rec.jobs.engine import JobEngine
from prism_rec.jobs.job import Job, Make, Workers
from prism_rec.jobs.local import LocalJobs
from prism_rec.jobs.settings import JobEngineConfig
from prism_rec.tuning.tune import run_search

STAGE = "compare"
FILES = ("table.csv", "cells.csv", "table.md", "table.tex", "results.json", "report.html")
FOLDERS = ("cells", "searches", "data")
NAMES = (*FILES, *FOLDERS)


@checked
def compare(
    recipe: Recipe,
    out: Path | str,
    *,
    device: str = "auto",
    engine: JobEngineConfig = LocalJobs(),
    resume: bool = True,
    events: Events = Events(),
) -> Comparison:
    """Train every model of a recipe on all data with all seeds, test each once, and say what the numbers show.

    A comparison that was interrupted continues: finished cells are kept, an interrupted one continues from its last
    epoch, and one with a damaged result is tested again. Several processes may work on one folder at the same time.
    Cells run in processes of their own, so a script that calls this needs `if __name__ == "__main__":`. Numbers do not
    depend on the engine.

    Args:
        recipe: as `read_recipe` returns it.
        out: folder that gets `cells/`, `searches/`, `table.csv`, `cells.csv`, `table.md`, `table.tex`, `results.json`
            and `report.html`.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        engine: where cells and searches run: in processes of this machine, or as tasks of Ray.
        resume: continue a comparison that the folder has; if false, a folder with any content is refused.
        events: progress and notes.

    Raises:
        InputError: a wrong setting, a model that does not fit its data, a cell begun with other settings, or cells
            that failed; finished cells are kept.
    """
    out = Path(out)
    check_folder(out, STAGE, recipe.data.values())
    if not resume:
        check_empty(out)
    for dataset in recipe.data.values():
        require_folder(dataset, DATASET)
    check_models(recipe)
    with locked(out, wait=True):
        begin_folder(out, STAGE, NAMES)
    workers = Workers(recipe.jobs, recipe.threads, device)
    searches = plan_searches(recipe, out)
    if searches:
        _run("searches", out, searches, run_search, workers, engine, events)
    cells = plan(recipe, out)
    check_claims(cells)
    _run("cells", out, cells, run_cell, workers, engine, events)
    with locked(out, wait=True):  # a process that waited for the same last cell finishes at the same moment
        comparison = gather(recipe, cells, out)
        write_tables(comparison, out)
        write_report(comparison, out)
        begin_folder(out, STAGE, NAMES)  # another process may have finished it
        finish_folder(out, STAGE, recipe.model_dump(mode="json"), FILES, kept=FOLDERS)
    return comparison


def _run(
    what: str,
    out: Path,
    jobs: Sequence[Job],
    make: Make,
    workers: Workers,
    engine: JobEngine,
    events: Events,
) -> None:
    for job in jobs:
        refuse_links(out, job.folder.relative_to(out).as_posix())
    failures = engine.run(jobs, make, workers, what, events)
    if failures:
        name, why = next(iter(failures.items()))
        raise InputError(
            f"{len(failures)} of {len(jobs)} {what} failed, first {name}: {why}; fix it and run the same comparison "
            "again: finished work is kept"
        )
