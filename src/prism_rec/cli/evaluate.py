"""`prism-rec evaluate`: a run's metrics on held-out data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

SHOWN = ("recall@10", "ndcg@10")


def evaluate(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    part: Annotated[Literal["test", "validation"], typer.Option(help="Which targets to rank.")] = "test",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with every metric.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Rank the whole catalogue for every user; print metrics with 95 % intervals over users, and slices.

    Slices of too few users for an interval are named without one; --json has them all.

    Each user's rank and best 50 items are kept in the run folder (evaluation-test.npz), so that runs can be
    compared user by user.

    For instance:

        prism-rec evaluate runs/beauty-id
    """
    from prism_rec.evaluate.questions import answer
    from prism_rec.evaluate.report import report
    from prism_rec.rank import Ranker
    from prism_rec.train import load_run

    loaded = load_run(run, device)
    ranker = Ranker(loaded.model, loaded.config.train.rank_batch_size)
    evaluation = answer(ranker, loaded.dataset.queries(part))
    # Not ranks-test.npz: in a cell of a comparison those are the ones that its result was made from.
    evaluation.save(run / f"evaluation-{part}.npz")
    result = report(loaded.dataset, part, evaluation)
    if json:
        from json import dumps

        typer.echo(dumps(result, indent=2))
    else:
        _show(result, str(run))


def _show(result: dict[str, Any], run: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from prism_rec.evaluate.slices import FEWEST_USERS

    metrics, intervals = result["metrics"], result["intervals"]
    console = Console()
    table = Table(
        title=f"{run}: {result['part']}, {result['users']:,} users, whole catalogue", title_justify="left"
    )
    for column in ("k", "recall", "ndcg", "mrr", "coverage", "gini", "novelty"):
        table.add_column(column, justify="right")
    for k in (5, 10, 20, 50):
        shown = [f"{metrics[f'{name}@{k}']:.4f}" for name in ("recall", "ndcg", "mrr", "coverage", "gini")]
        table.add_row(str(k), *shown, f"{metrics[f'novelty@{k}']:.2f}")
    console.print(table)
    slices = Table(title="with 95 % intervals over users", title_justify="left")
    for column in ("slice", "users", *SHOWN):
        slices.add_column(column, justify="left" if column == "slice" else "right")
    users = {name: estimates[SHOWN[0]]["queries"] for name, estimates in result["slices"].items()}
    left_out = {name: count for name, count in users.items() if count < FEWEST_USERS}
    drawn = {name: estimates for name, estimates in result["slices"].items() if name not in left_out}
    for name, estimates in {"all": intervals, **drawn}.items():
        cells = [f"{e['mean']:.4f} ({e['low']:.4f}-{e['high']:.4f})" for e in (estimates[m] for m in SHOWN)]
        slices.add_row(name, f"{estimates[SHOWN[0]]['queries']:,}", *cells)
    console.print(slices)
    if left_out:
        named = ", ".join(f"{name} ({count})" for name, count in left_out.items())
        console.print(f"Not shown, with fewer than {FEWEST_USERS} users: {named}.", highlight=False)
