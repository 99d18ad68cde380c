"""The `prism-rec` command: its commands, and how a mistake is told."""

import sys

import typer

from prism_rec import __version__
from prism_rec.cli.build import build
from prism_rec.cli.compare import compare
from prism_rec.cli.describe import describe
from prism_rec.cli.embed import embed
from prism_rec.cli.evaluate import evaluate
from prism_rec.cli.export import export
from prism_rec.cli.images import images
from prism_rec.cli.prepare import prepare
from prism_rec.cli.recommend import recommend
from prism_rec.cli.train import train
from prism_rec.cli.tune import tune
from prism_rec.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (prepare, images, embed, build, describe, train, tune, evaluate, recommend, compare, export):
    app.command()(command)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"prism-rec {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Multimodal sequential recommendation: from raw logs, pictures and texts to recommendations with reasons.

    A dataset: prepare (and images, embed; or build for all three). A model: tune, train, evaluate, recommend. Many
    models: compare.
    """


def main() -> None:
    """Run the command line; a mistake in the input ends with one line and status 2."""
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
