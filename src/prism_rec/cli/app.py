"""The `prism-rec` command: its commands, and how a mistake is told."""

import sys

import typer
from cyclopts import App, CycloptsError

from prism_rec.cli.build import BuildOptions, build
from prism_rec.cli.command import add_command
from prism_rec.cli.compare import compare
from prism_rec.cli.describe import DescribeOptions, describe
from prism_rec.cli.embed import EmbedOptions, embed
from prism_rec.cli.evaluate import evaluate
from prism_rec.cli.export_data import ExportDataOptions, export_data
from prism_rec.cli.images import ImagesOptions, images
from prism_rec.cli.prepare import PrepareOptions, prepare
from prism_rec.cli.recommend import recommend
from prism_rec.cli.train import train
from prism_rec.cli.tune import tune
from prism_rec.errors import InputError
from prism_rec.version import VERSION

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, tune, evaluate, recommend, compare):
    app.command()(command)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"prism-rec {VERSION}")
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


commands = App(name="prism-rec", version=VERSION, help_flags=["--help", "-h"], result_action="return_value")
"""Commands made from settings classes; `app` has the others until they are made so too."""
add_command(commands, PrepareOptions, prepare)
add_command(commands, DescribeOptions, describe, positional=("data",))
add_command(commands, ExportDataOptions, export_data, positional=("data",))
add_command(commands, ImagesOptions, images)
add_command(commands, EmbedOptions, embed)
add_command(commands, BuildOptions, build, positional=("recipe",))


def main() -> None:
    """Run the command line; a mistake in the input ends with one line and status 2."""
    try:
        if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and sys.argv[1] in commands:
            commands(sys.argv[1:], exit_on_error=False, print_error=False)
        else:
            app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except CycloptsError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
