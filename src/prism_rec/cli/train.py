"""`prism-rec train`: a prepared dataset and a config to a run folder."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(help="YAML settings; recipes/ has complete ones.")],
    data: Annotated[Path, typer.Option(help="Dataset folder that prepare has written.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting: train.learning_rate=5e-4. Repeatable."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run was interrupted; begin it if it was not.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Train a model; keep the weights of the epoch that validates best. Test data is not looked at.

    A run that was killed goes on with --resume and ends with the same numbers.

    For instance:

        prism-rec train recipes/beauty-id.yaml --data data/beauty --out runs/id
    """
    from prism_rec.config import name_origin, read_yaml
    from prism_rec.data.dataset import Dataset
    from prism_rec.errors import InputError
    from prism_rec.folders import require_folder
    from prism_rec.train import RunConfig, train_run
    from prism_rec.train.listeners import ProgressBar

    values = read_yaml(config, overrides or [])
    if "models" in values:
        raise InputError(f"{config} is a recipe of several models; run it with prism-rec compare")
    settings = RunConfig.parse(values, name_origin(config, overrides or []))
    with ProgressBar(settings.train.epochs, settings.train.metric) as bar:
        train_run(Dataset.load(data), settings, out, resume, device, [bar])
    facts, metric = require_folder(out, "train"), settings.train.metric
    typer.echo(
        f"best epoch {facts['best_epoch']} of {facts['epochs']}: validation {metric} {facts['validation'][metric]:.4f}"
    )
    typer.echo(f"wrote {out}; now: prism-rec evaluate {out}")
