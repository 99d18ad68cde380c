"""The `prism-rec` command: its commands, and how a mistake is told."""

import sys
from collections.abc import Sequence

import typer
from cyclopts import App, CycloptsError

from prism_rec.cli.build import BuildOptions, build
from prism_rec.cli.command import add_command
from prism_rec.cli.compare import CompareOptions, compare
from prism_rec.cli.describe import describe
from prism_rec.cli.embed import EmbedOptions, embed
from prism_rec.cli.evaluate import EvaluateOptions, evaluate
from prism_rec.cli.export import export
from prism_rec.cli.images import ImagesOptions, images
from prism_rec.cli.prepare import prepare
from prism_rec.cli.recommend import RecommendOptions, recommend
from prism_rec.cli.train import TrainOptions, train
from prism_rec.cli.tune import TuneOptions, tune
from prism_rec.devices import use_huge_pages
from prism_rec.errors import InputError
from prism_rec.version import VERSION

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (prepare, describe, export):
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
add_command(commands, ImagesOptions, images)
add_command(commands, EmbedOptions, embed)
add_command(commands, BuildOptions, build, positional=("recipe",))
add_command(commands, TuneOptions, tune, positional=("config",))
add_command(commands, CompareOptions, compare, positional=("recipe",))
add_command(commands, EvaluateOptions, evaluate, positional=("run",))
add_command(commands, RecommendOptions, recommend, positional=("run",))
add_command(commands, TrainOptions, train, positional=("config",))


def run(words: Sequence[str]) -> None:
    """Run one command.

    Args:
        words: the command's name and its arguments.

    Raises:
        InputError: a mistake in the input of the command.
        CycloptsError: wrong words.
    """
    commands(words, exit_on_error=False, print_error=False)


def main() -> None:
    """Run the command line; a mistake in the input ends with one line and status 2."""
    use_huge_pages()
    words = sys.argv[1:]
    try:
        if words and not words[0].startswith("-") and words[0] in commands:
            run(words)
        else:
            app()
    except (InputError, CycloptsError) as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        sys.exit(2)
