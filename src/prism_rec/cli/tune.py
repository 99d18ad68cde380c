"""`prism-rec tune`: the settings that validate best, within a budget of trials."""

from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Overrides, Resume, Talk, use_threads
from prism_rec.cli.terminal import print_json, say
from prism_rec.jobs.settings import JobEngineConfig

if TYPE_CHECKING:
    from prism_rec.tuning.tune import Tuned


class TuneOptions(Talk, Resume, Machine, Overrides, Output):
    """Search for the best settings within the ranges of a file's section tune, and write them for train.

    Only validation decides; test data is not used. Every trial has the same epochs and patience, and a trial that falls
    behind is stopped early. An interrupted search continues when the same command is run again, and a finished one is
    extended if tune.trials is larger.

    For instance:

        prism-rec tune prism.yaml --data data/beauty --out runs/tuned \\
          --set tune.trials=30

        prism-rec train runs/tuned/best.yaml --data data/beauty --out runs/best
    """

    config: Path
    """YAML file with the settings of a run and a section tune."""
    data: Path
    """Dataset folder that prepare or build wrote."""
    engine: JobEngineConfig | None = None
    """Where the search runs: local, in another process, or ray, as a task of the cluster at RAY_ADDRESS; if not given,
    in this process."""


def tune(options: TuneOptions) -> None:
    """Make the trials and show the best one."""
    from prism_rec.tuning.search import read_search
    from prism_rec.tuning.tune import tune as run

    search = read_search(options.config, options.overrides)
    use_threads(options)
    with shown(options.quiet) as events:
        tuned = run(
            search,
            options.out,
            data=options.data,
            device=options.device,
            engine=options.engine,
            resume=options.resume,
            events=events,
        )
    if options.as_json:
        results = [result.model_dump(mode="json") for result in tuned.results]
        best, settings = tuned.best.number, tuned.settings.model_dump(mode="json")
        print_json({"trials": results, "best": best, "settings": settings})
    else:
        _show(tuned, options)


def _show(tuned: "Tuned", options: TuneOptions) -> None:
    from prism_rec.tuning.tune import BEST

    best, metric = tuned.best, tuned.settings.train.metric
    say(f"best of {len(tuned.results)}: trial {best.number}, validation {metric} {best.value:.4f}")
    for key, value in best.chosen.items():
        say(f"  {key}: {value}")
    file = options.out / BEST
    say(f"wrote {file}; now: prism-rec train {file} --data {options.data} --out RUN")
