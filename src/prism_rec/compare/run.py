"""The whole of a comparison: cells, then tables."""

import os
from pathlib import Path

from prism_rec.compare.cell import check_claim
from prism_rec.compare.comparison import Comparison, gather
from prism_rec.compare.progress import CellProgress
from prism_rec.compare.recipe import Cell, Recipe, plan
from prism_rec.compare.schedule import News, Workers, run_cells
from prism_rec.compare.table import write_tables
from prism_rec.errors import InputError
from prism_rec.train.run import choose_device


def compare(recipe: Recipe, out: Path, device: str = "auto") -> Comparison:
    """Make every cell of a recipe that has no result yet, then the tables.

    Killed and called again it goes on where it was: finished cells are skipped, one cut short continues from its
    last epoch, and one whose result is damaged is tested again. Several processes may work on one folder at once.
    Cells run in processes of their own, so a script that calls this needs `if __name__ == "__main__":`.

    Args:
        recipe: as `read_recipe` returns it.
        out: gets `cells/`, `table.csv`, `table.md`, `table.tex` and `results.json`.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is one.

    Raises:
        InputError: a wrong setting, a cell begun with other settings, or cells that failed; the others are kept.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the output")
    cells = plan(recipe, out)
    for cell in cells:
        check_claim(cell)
    workers = Workers(_jobs(recipe, device), recipe.threads, device)
    failures: dict[str, str] = {}

    with CellProgress(len(cells)) as progress:

        def hear(cell: Cell, news: News) -> None:
            progress(cell, news)
            if news.state == "failed":
                failures[cell.name] = news.text

        run_cells(cells, workers, hear)
    if failures:
        name, why = next(iter(failures.items()))
        raise InputError(
            f"{len(failures)} of {len(cells)} cells failed, first {name}: {why}; mend it and run the same command "
            "again: finished cells are kept"
        )
    comparison = gather(recipe, cells, out)
    write_tables(comparison, out)
    return comparison


def _jobs(recipe: Recipe, device: str) -> int:
    if recipe.jobs is not None:
        return recipe.jobs
    if choose_device(device).type != "cpu":
        return 1
    return max(1, (os.cpu_count() or 1) // recipe.threads)
