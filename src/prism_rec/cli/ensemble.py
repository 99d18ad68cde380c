"""`prism-rec ensemble`: combines finished runs into one that adds their scores."""

from pathlib import Path

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Talk, use_threads
from prism_rec.cli.terminal import print_json, say


class EnsembleOptions(Talk, Machine, Output):
    """Combine finished runs of the same data into one whose score is the weighted sum of their scores.

    Validation chooses the weights; test targets have no influence. The folder holds copies of all runs, and evaluate,
    recommend, explain, serve and explore use it like a run.

    For instance:

        prism-rec ensemble runs/seed-0 runs/seed-1 --out runs/both
    """

    runs: tuple[Path, ...] = Field(min_length=2)
    """Folders of two or more finished runs."""


def ensemble(options: EnsembleOptions) -> None:
    """Combine the runs and show their weights."""
    from prism_rec.runs.combine import ensemble as combine

    use_threads(options)
    with shown(options.quiet) as events:
        made = combine(options.runs, options.out, device=options.device, events=events)
    if options.as_json:
        print_json(made.config.model_dump(mode="json"))
    else:
        weights = ", ".join(f"{member.run} {member.weight:.2f}" for member in made.config.members)
        say(f"wrote {options.out}: {weights}")
