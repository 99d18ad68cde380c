"""`prism-rec compare`: a recipe of models, data and seeds to one table and one page."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Overrides, Resume, Talk
from prism_rec.cli.terminal import SafeConsole, print_json, say
from prism_rec.jobs.local import LocalJobs
from prism_rec.jobs.settings import JobEngineConfig

if TYPE_CHECKING:
    from prism_rec.comparison.comparison import Comparison


class CompareOptions(Talk, Resume, Machine, Overrides, Output):
    """Train models on data with several seeds and one budget for all, and say what the numbers show.

    An interrupted comparison continues when the same command is run again. The folder gets table.csv, cells.csv (one
    row per cell and metric), table.md, table.tex, results.json and report.html; each cell is a run folder for evaluate
    and recommend.

    For instance:

        prism-rec compare recipes/demo.yaml --data runs/demo/data \\
          --out runs/demo/comparison
    """

    recipe: Path
    """YAML recipe; recipes/demo.yaml is a small one."""
    data: tuple[str, ...] = ()
    """[NAME=]FOLDER: a dataset folder, in place of the recipe's data. Repeat for more."""
    jobs: int | None = Field(None, ge=1, le=4096)
    """How many models train at the same time; if not given, as many as there are cores for."""
    engine: JobEngineConfig = LocalJobs()
    """Where models train: local, on this machine, or ray, as tasks of the cluster at RAY_ADDRESS."""


def compare(options: CompareOptions) -> None:
    """Make the comparison and show its table and findings."""
    from prism_rec.comparison.compare import compare as run
    from prism_rec.comparison.recipe import read_recipe
    from prism_rec.comparison.table import as_values

    recipe = read_recipe(options.recipe, options.overrides, options.data)
    given = {"jobs": options.jobs, "threads": options.threads}
    recipe = recipe.model_copy(update={name: value for name, value in given.items() if value is not None})
    with shown(options.quiet) as events:
        comparison = run(
            recipe,
            options.out,
            device=options.device,
            engine=options.engine,
            resume=options.resume,
            events=events,
        )
    if options.as_json:
        print_json(as_values(comparison))
    else:
        _show(comparison)
        say(f"wrote {options.out / 'report.html'}")


def _show(comparison: "Comparison") -> None:
    from rich.table import Table

    from prism_rec.comparison.findings import findings
    from prism_rec.comparison.table import difference_column, spread_of

    console = SafeConsole()
    reference, metrics = comparison.reference, comparison.recipe.metrics
    for data in comparison.recipe.data:
        users = comparison.estimates[data, reference, metrics[0]].queries
        table = Table(
            title=f"{data}: {users:,} test users, whole catalogue, 95 % intervals over users",
            title_justify="left",
            show_lines=True,
        )
        for column in ("model", *metrics, difference_column(comparison, metrics[0]), "train s"):
            table.add_column(column, justify="left" if column == "model" else "right")
        for arm in comparison.arms_of(data):
            values = [comparison.estimates[data, arm.model, metric] for metric in metrics]
            spreads = [arm.spread(metric) for metric in metrics]
            cells = [
                f"{value.mean:.4f}{spread_of(spread)}\n{value.low:.4f} to {value.high:.4f}"
                for value, spread in zip(values, spreads, strict=True)
            ]
            found = comparison.differences.get((data, arm.model, metrics[0]))
            other = f"to {found.reference}\n" if found and comparison.recipe.against else ""
            gap = found and found.estimate
            cells.append(
                f"{other}{gap.mean:+.4f}\n{gap.low:+.4f} to {gap.high:+.4f}" if gap else "the reference"
            )
            table.add_row(arm.model, *cells, f"{arm.cost('training_seconds'):.0f}")
        console.print(table)
    for sentence in findings(comparison):
        console.print(sentence, highlight=False)
