"""`prism-rec plan`: time, memory and disk of a training run."""

from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.common import Machine, Overrides, Talk, use_threads
from prism_rec.cli.terminal import print_json, say

if TYPE_CHECKING:
    from prism_rec.planning.plan import Plan


class PlanOptions(Talk, Machine, Overrides):
    """Predict time, memory and disk of a training run from a trial of some seconds. Nothing is kept.

    For instance:

        prism-rec plan recipes/beauty-id.yaml --data data/beauty
    """

    config: Path
    """YAML file with the settings of a run; recipes/ has complete ones."""
    data: Path
    """Dataset folder that prepare or build wrote."""


def plan(options: PlanOptions) -> None:
    """Measure a trial and show the prediction."""
    from prism_rec.config import name_origin, read_yaml
    from prism_rec.errors import InputError
    from prism_rec.planning.plan import plan as run
    from prism_rec.training.config import RunConfig

    values = read_yaml(options.config, options.overrides)
    for key, command in (("models", "compare"), ("base", "compare"), ("tune", "tune")):
        if key in values:
            raise InputError(
                f"{options.config} is a recipe of `{command}`; `plan` takes the settings of one run"
            )
    config = RunConfig.parse(values, name_origin(options.config, options.overrides))
    use_threads(options)
    planned = run(config, options.data, device=options.device, threads=options.threads)
    if options.as_json:
        print_json(planned.model_dump())
    else:
        _show(planned)


def _show(planned: "Plan") -> None:
    from prism_rec.planning.plan import in_gb

    validates = planned.validation_seconds > 0
    validated = f"; a validation {in_time(planned.validation_seconds)}" if validates else "; no validation"
    sooner = "; patience may stop it earlier" if validates else ""
    threads = f", threads: {planned.threads}" if planned.device == "cpu" else ""
    for label, value in (
        ("weights", f"{planned.parameters:,}"),
        (
            "memory",
            f"{in_gb(planned.memory)} of {in_gb(planned.memory_there)} free on {planned.device}{threads}",
        ),
        ("disk", f"{in_gb(planned.disk)} at most"),
        ("one epoch", f"{in_time(planned.epoch_seconds)}, {planned.batches:,} steps{validated}"),
        (
            "whole run",
            f"{in_time(planned.seconds)} for {planned.epochs} epochs{sooner}",
        ),
    ):
        say(f"{label:10} {value}")


def in_time(seconds: float) -> str:
    """Return a time in words: 0.4 s, 12 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
