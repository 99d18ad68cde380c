"""`prism-rec train`: a dataset and settings to a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Machine, Output, Overrides, Resume, Talk, use_threads
from prism_rec.cli.terminal import print_json, say
from prism_rec.processes import is_first

if TYPE_CHECKING:
    from prism_rec.runs.run import Run


class TrainOptions(Talk, Resume, Machine, Overrides, Output):
    """Train a model and keep the weights of the epoch with the best validation. Test data is not used.

    An interrupted run continues when the same command is run again, and ends with the same numbers.

    `torchrun --nproc-per-node 4 -m prism_rec.cli train ...` trains with four processes, each on a part of every batch.

    For instance:

        prism-rec train recipes/movielens-prism.yaml --data data/ml-small \\
          --out runs/prism

        prism-rec train recipes/movielens-prism.yaml --data data/tuesday \\
          --from runs/monday --out runs/tuesday --set train.epochs=3
    """

    config: Path
    """YAML file with the settings of a run; recipes/ has complete ones."""
    data: Path
    """Dataset folder that prepare or build wrote."""
    start: Path | None = Field(None, json_schema_extra={"flag": "--from"})
    """Begin with the weights of this finished run of the same model, such as that of yesterday. There may be new items
    and users."""


def train(options: TrainOptions) -> None:
    """Train the model and show the best epoch."""
    from prism_rec.config import name_origin, read_yaml
    from prism_rec.errors import InputError
    from prism_rec.folders import check_listed
    from prism_rec.runs.train import train as run
    from prism_rec.training.config import RunConfig

    check_listed(options.config)
    values = read_yaml(options.config, options.overrides)
    if "models" in values:
        raise InputError(f"{options.config} is a recipe of several models; run it with prism-rec compare")
    if "tune" in values:
        raise InputError(
            f"{options.config} has a section tune; search with prism-rec tune, and train the best.yaml that it writes"
        )
    config = RunConfig.parse(values, name_origin(options.config, options.overrides))
    use_threads(options)
    first = is_first()
    with _said_if_stopped(options.out), shown(options.quiet or not first) as events:
        trained = run(
            config,
            options.out,
            data=options.data,
            start=options.start,
            device=options.device,
            resume=options.resume,
            events=events,
        )
    if first:
        show(trained, options.as_json)


@contextmanager
def _said_if_stopped(out: Path) -> Iterator[None]:
    """Let an interruption say how far the run is."""
    from prism_rec.runs.folder import RunFolder

    try:
        yield
    except KeyboardInterrupt as ended:
        log = RunFolder(out).log
        epochs = len(log.read_text(encoding="utf-8").splitlines()) if log.is_file() else 0
        after = f"after epoch {epochs}" if epochs else "before the end of the first epoch"
        ended.args = (f"interrupted: stopped {after}; the same command with --resume continues",)
        raise


def show(trained: "Run", as_json: bool) -> None:
    """Say what was trained and what to do next, or print the manifest without its files."""
    out, metric = trained.folder.path, trained.config.train.metric
    manifest = trained.folder.read_manifest()
    if as_json:
        print_json({name: value for name, value in manifest.items() if name not in ("files", "inputs")})
        return
    best, epochs, found = manifest["best_epoch"], manifest["epochs"], manifest["validation"]
    if found:
        say(f"best epoch {best} of {epochs}: validation {metric} {found[metric]:.4f}")
        say(f"wrote {out}; now: prism-rec evaluate {out}")
    else:
        number = f"{epochs} epoch{'' if epochs == 1 else 's'}"
        say(f"trained on everything for {number}; the data has nothing to validate on")
        say(f"wrote {out}; now: prism-rec recommend {out} --all-users")
