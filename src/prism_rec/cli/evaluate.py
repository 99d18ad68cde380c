"""`prism-rec evaluate`: a run's metrics on data that it was not trained on."""

from pathlib import Path
from typing import Any, Literal

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Talk, use_threads
from prism_rec.cli.terminal import SafeConsole, print_json

SHOWN = ("recall@10", "ndcg@10")


class EvaluateOptions(Talk, Machine):
    """Rank the whole catalogue for every user; print metrics with 95 % intervals over users, and slices.

    The most popular items are measured with the same users and candidates, so that it can be seen what the model adds.

    Items of a user's history are candidates, or not, exactly as in recommend: the run's setting seen decides.

    Slices with too few users for an interval are named without one; --json has them all. The rank of each user's target
    and the best 50 items are kept in the run folder (evaluation-test.npz), so that runs can be compared user by user.

    For instance:

        prism-rec evaluate runs/beauty-id
    """

    run: Path
    """Folder of a finished run."""
    part: Literal["test", "validation"] = "test"
    """Which targets of the split are ranked. With leave-one-out, test has the last item of each user, and validation
    the one before it."""


def evaluate(options: EvaluateOptions) -> None:
    """Evaluate the run and show the report."""
    from prism_rec.runs.evaluate import evaluate as run

    use_threads(options)
    with shown(options.quiet) as events:
        report = run(options.run, options.part, device=options.device, events=events)
    if options.as_json:
        print_json(report)
    else:
        _show(report, str(options.run))


def _show(report: dict[str, Any], run: str) -> None:
    from rich.table import Table

    from prism_rec.evaluation.slices import FEWEST_USERS

    metrics, intervals = report["metrics"], report["intervals"]
    console = SafeConsole()
    table = Table(
        title=f"{run}: {report['part']}, {report['users']:,} users, whole catalogue, seen items "
        + ("removed" if report["seen"] == "remove" else "kept"),
        title_justify="left",
    )
    for column in ("k", "recall", "ndcg", "mrr", "coverage", "gini", "novelty"):
        table.add_column(column, justify="right")
    for k in (5, 10, 20, 50):
        cells = [f"{metrics[f'{name}@{k}']:.4f}" for name in ("recall", "ndcg", "mrr", "coverage", "gini")]
        table.add_row(str(k), *cells, f"{metrics[f'novelty@{k}']:.2f}")
    console.print(table)
    slices = Table(title="with 95 % intervals over users", title_justify="left")
    for column in ("slice", "users", *SHOWN):
        slices.add_column(column, justify="left" if column == "slice" else "right")
    users = {name: estimates[SHOWN[0]]["queries"] for name, estimates in report["slices"].items()}
    left_out = {name: count for name, count in users.items() if count < FEWEST_USERS}
    drawn = {name: estimates for name, estimates in report["slices"].items() if name not in left_out}
    for name, estimates in {"all": intervals, **drawn}.items():
        cells = [f"{e['mean']:.4f} ({e['low']:.4f}-{e['high']:.4f})" for e in (estimates[m] for m in SHOWN)]
        slices.add_row(name, f"{estimates[SHOWN[0]]['queries']:,}", *cells)
    console.print(slices)
    named = ", ".join(f"{name} {report['popularity'][name]:.4f}" for name in SHOWN)
    console.print(f"The most popular items, same users and candidates: {named}.", highlight=False)
    if left_out:
        named = ", ".join(f"{name} ({count})" for name, count in left_out.items())
        console.print(f"Not shown, with fewer than {FEWEST_USERS} users: {named}.", highlight=False)
