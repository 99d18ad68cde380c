"""The `prism-rec` command: its commands in the order of the data flow, and how errors are shown."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from cyclopts import App, CycloptsError, Group, MissingArgumentError, UnusedCliTokensError

from prism_rec.cli.add_items import AddItemsOptions, add_items
from prism_rec.cli.build import BuildOptions, build
from prism_rec.cli.command import add_command
from prism_rec.cli.compare import CompareOptions, compare
from prism_rec.cli.describe import DescribeOptions, describe
from prism_rec.cli.embed import EmbedOptions, embed
from prism_rec.cli.ensemble import EnsembleOptions, ensemble
from prism_rec.cli.evaluate import EvaluateOptions, evaluate
from prism_rec.cli.explain import ExplainOptions, explain
from prism_rec.cli.explore import ExploreOptions, explore
from prism_rec.cli.export import ExportOptions, export
from prism_rec.cli.export_data import ExportDataOptions, export_data
from prism_rec.cli.images import ImagesOptions, images
from prism_rec.cli.plan import PlanOptions, plan
from prism_rec.cli.prepare import PrepareOptions, prepare
from prism_rec.cli.recommend import RecommendOptions, recommend
from prism_rec.cli.refit import RefitOptions, refit
from prism_rec.cli.serve import ServeOptions, serve
from prism_rec.cli.similar import SimilarOptions, similar
from prism_rec.cli.terminal import say
from prism_rec.cli.train import TrainOptions, train
from prism_rec.cli.tune import TuneOptions, tune
from prism_rec.cli.validate_explanations import ValidateExplanationsOptions, validate_explanations
from prism_rec.config import Config
from prism_rec.devices import give_back_memory, let_threads_sleep, use_huge_pages
from prism_rec.errors import InputError
from prism_rec.machine import one_line
from prism_rec.processes import leave, say_errors_only, speaks_last, world
from prism_rec.version import VERSION

Command = tuple[type[Config], Callable[[Any], None], tuple[str, ...]]
"""The options, the function that gets them, and the options that are given by place."""

COMMANDS: dict[str, tuple[Command, ...]] = {
    "Data": (
        (PrepareOptions, prepare, ()),
        (ImagesOptions, images, ()),
        (EmbedOptions, embed, ()),
        (BuildOptions, build, ("recipe",)),
        (DescribeOptions, describe, ("data",)),
        (ExportDataOptions, export_data, ("data",)),
    ),
    "Models": (
        (PlanOptions, plan, ("config",)),
        (TrainOptions, train, ("config",)),
        (EvaluateOptions, evaluate, ("run",)),
        (EnsembleOptions, ensemble, ("runs",)),
        (RefitOptions, refit, ("run",)),
        (TuneOptions, tune, ("config",)),
        (CompareOptions, compare, ("recipe",)),
    ),
    "Use": (
        (RecommendOptions, recommend, ("run",)),
        (SimilarOptions, similar, ("run",)),
        (ExplainOptions, explain, ("run",)),
        (ServeOptions, serve, ("run",)),
        (ExploreOptions, explore, ("run",)),
        (AddItemsOptions, add_items, ("run",)),
        (ExportOptions, export, ("run",)),
        (ValidateExplanationsOptions, validate_explanations, ()),
    ),
}

HELP = """Multimodal sequential recommendation: from raw logs, pictures and texts to recommendations with reasons.

`prepare` turns a log into a dataset, `train` makes a model of it, `recommend` uses the model.
"""


def make_app() -> App:
    """Return the application with all commands."""
    app = App(
        name="prism-rec",
        help=HELP,
        version=VERSION,
        help_flags=["--help", "-h"],
        result_action="return_value",
    )
    for place, (title, commands) in enumerate(COMMANDS.items()):
        group = Group(title, sort_key=place)
        for order, (options, run_command, positional) in enumerate(commands):
            add_command(app, options, run_command, positional, group, order)
    return app


def run(words: Sequence[str]) -> None:
    """Run one command.

    Args:
        words: the command's name and its arguments.

    Raises:
        InputError: a mistake in the input of the command.
        CycloptsError: wrong words.
    """
    make_app()(words, exit_on_error=False, print_error=False)


class _TerminatedError(KeyboardInterrupt):
    """The system or a person asks the process to end (SIGTERM)."""


def _end(signal_number: int, frame: FrameType | None) -> None:
    raise _TerminatedError


def _refuse_processes(words: Sequence[str]) -> None:
    """Refuse to do the same work in several processes: only training is shared by them.

    Raises:
        InputError: several processes run another command than `train`.
    """
    if world() > 1 and words[:1] != ["train"]:
        raise InputError(
            f"WORLD_SIZE is {world()}, and only train works in several processes; start this command once, "
            "without torchrun"
        )


def _say_last(line: str) -> None:
    """Say why the command ends; of several processes, only one does."""
    if world() > 1:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun ends them all as soon as one has ended
    if speaks_last():
        say(line, sys.stderr)


def _in_words(error: InputError | CycloptsError) -> str:
    """Return an error as one line."""
    if isinstance(error, UnusedCliTokensError):
        words = ", ".join(map(repr, error.unused_tokens or ()))
        return f"no option takes {words}; to give an option several values, repeat it: --columns A=B --columns C=D"
    line = " ".join(str(error).split())
    if isinstance(error, MissingArgumentError) and error.argument and "Did you mean" not in line:
        given = error.keyword is not None or error.argument.tokens
        if not given:
            command = " ".join(("prism-rec", *(error.command_chain or ())))
            return f"{error.argument.name}: missing; add it, as {command} --help shows"
    return line


def main() -> None:
    """Run the command line; a mistake in the input ends with one line and status 2."""
    use_huge_pages()
    give_back_memory()
    signal.signal(signal.SIGTERM, _end)
    let_threads_sleep()
    say_errors_only()
    try:
        with one_line():
            _refuse_processes(sys.argv[1:])
            run(sys.argv[1:])
            sys.stdout.flush()
    except (InputError, CycloptsError) as error:
        _say_last(f"error: {_in_words(error)}")
        leave(2)
    except KeyboardInterrupt as ended:
        _say_last(str(ended) or "interrupted: finished work is kept; run the same command again to continue")
        leave(143 if isinstance(ended, _TerminatedError) else 130)
    except BrokenPipeError:  # the reader of the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        sys.exit(1)
