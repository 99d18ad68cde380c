"""`prism-rec explain`: why an item has its score for a user or history."""

from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.common import Machine, Talk, items_of, use_threads
from prism_rec.cli.terminal import SafeConsole, print_json, say
from prism_rec.errors import InputError

if TYPE_CHECKING:
    from prism_rec.explain.explanation import Explanation, PastItem

SHOWN_HISTORY = 8


class ExplainOptions(Talk, Machine):
    """Show what the score of an item is made of, and which past items and modalities it depends on.

    The parts add up to the score. An effect is the score minus the score of the same model without a past item, or
    without a modality; effects do not add up to the score.

    For instance:

        prism-rec explain runs/ml-small --user 1 --item 260

        prism-rec explain runs/ml-small --history 1,34,260 --item 110
    """

    run: Path
    """Folder of a finished run."""
    item: str
    """The item that is scored; any of the run's data."""
    user: str | None = None
    """A user of the run's data, with the user's whole history."""
    history: str | None = None
    """A,B,C: item ids, oldest first; an id that has a comma is in double quotes, as in '"a,b",c'."""


def explain(options: ExplainOptions) -> None:
    """Explain and show or print."""
    from prism_rec.recommend.recommender import load

    if (options.user is None) == (options.history is None):
        raise InputError("give either --user or --history")
    use_threads(options)
    recommender = load(options.run, options.device)
    if options.user is not None:
        history = recommender.history_of(options.user)
    else:
        history = items_of(options.history or "", recommender)
    found = recommender.explain(history, options.item)
    if options.as_json:
        print_json(found.model_dump())
        return
    unknown = recommender.unknown_items(history)
    if unknown and not options.quiet:
        say(f"note: {len(unknown)} items of the history are unknown, first {unknown[0]!r}; left out")
    _show(found)


def _show(found: "Explanation") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console = SafeConsole()
    console.print(Text(found.sentence))
    parts = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    weighed = ("weight", "mean weight of all users") if found.weights else ()
    for column in ("part of the score", "adds", *weighed):
        parts.add_column(column, justify="left" if column == "part of the score" else "right")
    for name, value in found.contributions.items():
        weights = [found.weights.get(name), found.average_weights.get(name)][: len(weighed)]
        label = "id (the usual one of new items)" if name == "id" and not found.own_id else name
        parts.add_row(
            label, f"{value:z.3f}", *("-" if weight is None else f"{weight:.2f}" for weight in weights)
        )
    parts.add_row("score", f"{found.score:.3f}", *["-"] * len(weighed))
    console.print(parts)
    effects = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    effects.add_column("without")
    effects.add_column("the score is lower by", justify="right")
    for past in sorted(found.history, key=_effect, reverse=True)[:SHOWN_HISTORY]:
        effect = "the only one" if past.effect is None else f"{past.effect:z.3f}"
        effects.add_row(Text(f"{past.title} [{past.item_id}]" if past.title else past.item_id), effect)
    for name, value in found.modalities.items():
        effects.add_row(f"any {name}", f"{value:z.3f}")
    console.print(effects)
    if len(found.history) > SHOWN_HISTORY:
        console.print(f"{SHOWN_HISTORY} of {len(found.history)} past items; --json has all", highlight=False)


def _effect(past: "PastItem") -> float:
    return past.effect or 0.0
