"""`prism-rec refit`: a finished run, trained again on everything."""

from pathlib import Path

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Resume, Talk, use_threads
from prism_rec.cli.train import show


class RefitOptions(Talk, Resume, Machine, Output):
    """Train the model of a finished run again on all events, those of validation and test too.

    The number of epochs is the best one of the run, which validation chose. Nothing is measured. An interrupted run
    continues when the same command is run again.

    For instance:

        prism-rec refit runs/measured --out runs/shop
    """

    run: Path
    """Folder of a finished run."""
    data: Path | None = None
    """Dataset folder with the same modalities; its split is ignored. By default the data of the run."""
    start: Path | None = Field(None, json_schema_extra={"flag": "--from"})
    """The run whose weights the finished run began with, if it did."""


def refit(options: RefitOptions) -> None:
    """Train again and say for how many epochs."""
    from prism_rec.runs.refit import refit as run

    use_threads(options)
    with shown(options.quiet) as events:
        trained = run(
            options.run,
            options.out,
            data=options.data,
            start=options.start,
            device=options.device,
            resume=options.resume,
            events=events,
        )
    show(trained, options.as_json)
