"""`prism-rec tune`: the settings that validate best, within a budget of trials."""

from pathlib import Path
from typing import Annotated

import typer

from prism_rec.errors import InputError


def tune(
    config: Annotated[Path, typer.Argument(help="YAML settings of a run, with a section tune.")],
    data: Annotated[Path, typer.Option(help="Dataset folder that prepare has written.")],
    out: Annotated[Path, typer.Option(help="Folder to write; trials in it that have ended are kept.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: tune.trials=50. Repeatable."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Try settings within the ranges of a config's section tune; write the best as a config that train takes.

    Validation alone decides; test data is not looked at. Every trial has the same epochs and patience, and one that
    falls behind is cut short. Killed, or called again with more trials, it goes on where it was.

    For instance:

        prism-rec tune prism.yaml --data data/beauty --out runs/tuned --set tune.trials=30
        prism-rec train runs/tuned/best.yaml --data data/beauty --out runs/best
    """
    from prism_rec.folders import check_folder, locked
    from prism_rec.tune import read_search
    from prism_rec.tune import tune as run
    from prism_rec.tune.progress import SearchBar

    search = read_search(config, overrides or [])
    settings = search.settings({}).train
    check_folder(out, "tune")
    try:
        with locked(out, wait=False), SearchBar(settings.epochs, settings.metric) as bar:
            tuned = run(search, data, out, device, bar)
    except BlockingIOError:
        raise InputError(
            f"another process is searching in {out}; wait for it, or name another --out"
        ) from None
    best = tuned.best
    typer.echo(
        f"best of {len(tuned.outcomes)}: trial {best.number}, validation {settings.metric} {best.value:.4f}"
    )
    for key, value in best.chosen.items():
        typer.echo(f"  {key}: {value}")
    typer.echo(f"wrote {out / 'best.yaml'}; now: prism-rec train {out / 'best.yaml'} --data {data} --out RUN")
