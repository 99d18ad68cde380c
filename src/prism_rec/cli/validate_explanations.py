"""`prism-rec validate-explanations`: whether explanations are true, on data whose answers are known."""

from typing import TYPE_CHECKING

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Machine, Output, Replace, Talk, use_threads
from prism_rec.cli.terminal import SafeConsole, print_json
from prism_rec.explain.validation_settings import ValidateExplanations

if TYPE_CHECKING:
    from prism_rec.stages.validate_explanations import Findings

ENOUGH = 0.8


class ValidateExplanationsOptions(Talk, Replace, Machine, Output, ValidateExplanations):
    """Train models on made-up data in which each user's reasons are known, and compare explanations with them.

    Each user has a mixture: how often the next item is chosen by what only the picture shows, only the text, both, or
    neither of them without the other. The result is, for each of these parts, how well the order of users by the
    recovered part agrees with the order by the true one: 1 is the same order, 0 is chance.

    It takes some minutes on two cores.

    For instance:

        prism-rec validate-explanations --out runs/validation
    """


def validate_explanations(options: ValidateExplanationsOptions) -> None:
    """Train, compare and show the report."""
    from prism_rec.stages.validate_explanations import validate_explanations as run

    use_threads(options)
    settings = only(options, ValidateExplanations)
    with shown(options.quiet) as events:
        found = run(settings, options.out, events, device=options.device, replace=options.replace)
    if options.as_json:
        print_json(found.model_dump())
    else:
        _show(found)


def _show(found: "Findings") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console = SafeConsole()
    parts = list(found.observer)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("model", "by", *map(_short, parts), "NDCG@10"):
        table.add_column(column, justify="left" if column in ("model", "by") else "right", no_wrap=True)
    table.add_row("true factors", "seen", *(f"{value:.2f}" for value in found.observer.values()), "-")
    for one in found.models:
        for by, values in (("shares", one.shares), ("gate", one.weights)):
            if values is not None:
                cells = (f"{values[part]:.2f}" for part in parts)
                table.add_row(one.model, by, *cells, f"{one.accuracy:.4f}")
    console.print("Order of users by recovered and by true mixtures (1: the same, 0: chance):")
    console.print(table)
    bits = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("users who choose by", *map(_short, parts)):
        bits.add_column(column, justify="left" if column.startswith("users") else "right", no_wrap=True)
    for group, values in found.information.items():
        bits.add_row(_short(group), *(f"{1000 * value:.0f}" for value in values.values()))
    console.print("What picture and text tell of a choice, in 1/1000 bit, by counts without a model:")
    console.print(bits)
    for line in _sentences(found):
        console.print(line, highlight=False, soft_wrap=True)


def _short(part: str) -> str:
    return f"{part.removeprefix('unique:')} only" if part.startswith("unique:") else part


def _sentences(found: "Findings") -> list[str]:
    """Return the numbers in words, one line each."""
    lines = []
    for one in found.models:
        best = one.shares or one.weights or {}
        low = [part for part, value in best.items() if value < ENOUGH]
        if not best:
            lines.append(f"{one.model}: has no parts with these names")
        elif low:
            lines.append(f"{one.model}: do not trust the name of {', '.join(low)}")
        else:
            lines.append(f"{one.model}: trust the names of all parts on data like this")
        lines += [f"{one.model}: {fault}" for fault in one.faults]
        if one.deletion is not None:
            lines.append(f"{one.model}: {_deleted(one.deletion.one, one.deletion.third)}")
    if found.run is not None:
        lines.append(f"the given run: {_deleted(found.run.one, found.run.third)}")
    return lines


def _deleted(one: float, third: float) -> str:
    return (
        f"removing the past item with the largest effect lowers the score more than a random one for {one:.0%} of "
        f"users; removing a third of the items, for {third:.0%}"
    )
