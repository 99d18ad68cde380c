"""The whole of a comparison: searches where the recipe asks for them, cells, then tables."""

import os
from collections.abc import Sequence
from pathlib import Path

from prism_rec.compare.cell import check_claims, run_cell
from prism_rec.compare.comparison import Comparison, gather
from prism_rec.compare.plan import check_models, plan, plan_searches
from prism_rec.compare.progress import JobProgress
from prism_rec.compare.recipe import Recipe
from prism_rec.compare.schedule import Job, Make, News, Workers, run_jobs
from prism_rec.compare.searching import run_search
from prism_rec.compare.table import write_tables
from prism_rec.devices import choose_device
from prism_rec.errors import InputError
from prism_rec.folders import locked, require_folder


def compare(recipe: Recipe, out: Path, device: str = "auto") -> Comparison:
    """Make every search and every cell of a recipe that has no result yet, then the tables.

    Killed and called again it goes on where it was: finished cells are skipped, one cut short continues from its
    last epoch, and one whose result is damaged is tested again. Several processes may work on one folder at once.
    Cells run in processes of their own, so a script that calls this needs `if __name__ == "__main__":`.

    Args:
        recipe: as `read_recipe` returns it.
        out: gets `cells/`, `searches/`, `table.csv`, `table.md`, `table.tex` and `results.json`.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is one.

    Raises:
        InputError: a wrong setting, a model that does not fit its data, a cell begun with other settings, or cells
            that failed; the others are kept.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the output")
    for dataset in recipe.data.values():
        require_folder(dataset, "prepare")
    check_models(recipe)
    workers = Workers(_jobs(recipe, device), recipe.threads, device)
    searches = plan_searches(recipe, out)
    if searches:
        _run("searches", searches, run_search, workers)
    cells = plan(recipe, out)
    check_claims(cells)
    _run("cells", cells, run_cell, workers)
    with locked(out, wait=True):  # whoever waited for the same last cell finishes at the same moment
        comparison = gather(recipe, cells, out)
        write_tables(comparison, out)
    return comparison


def _run(what: str, jobs: Sequence[Job], make: Make, workers: Workers) -> None:
    failures: dict[str, str] = {}
    with JobProgress(what, len(jobs)) as progress:

        def hear(job: Job, news: News) -> None:
            progress(job, news)
            if news.state == "failed":
                failures[job.name] = news.text

        run_jobs(jobs, make, workers, hear)
    if failures:
        name, why = next(iter(failures.items()))
        raise InputError(
            f"{len(failures)} of {len(jobs)} {what} failed, first {name}: {why}; mend it and run the same command "
            "again: what is finished is kept"
        )


def _jobs(recipe: Recipe, device: str) -> int:
    if recipe.jobs is not None:
        return recipe.jobs
    if choose_device(device).type != "cpu":
        return 1
    return max(1, (os.cpu_count() or 1) // recipe.threads)
