"""The examples of `--help` can be copied: they fit a terminal, go on after a backslash, and name recipes that exist."""

import inspect
import re
from pathlib import Path

import pytest

from prism_rec.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    run.__name__: (inspect.getdoc(options) or "").partition("For instance:\n")[2]
    for commands in COMMANDS.values()
    for options, run, _ in commands
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_and_goes_on_after_a_backslash(name: str) -> None:
    lines = [line.removeprefix("    ") for line in EXAMPLES[name].splitlines() if line]
    assert lines
    assert [line for line in lines if len(line) > 78] == []
    for line, following in zip(lines, [*lines[1:], "end"], strict=True):
        assert line.endswith(" \\") == following.startswith(" "), line


@pytest.mark.parametrize("name", EXAMPLES)
def test_recipes_of_examples_exist(name: str) -> None:
    assert [
        file for file in re.findall(r"recipes/[\w./-]+", EXAMPLES[name]) if not (ROOT / file).exists()
    ] == []
