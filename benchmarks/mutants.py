"""Counts how many small changes to the code are noticed by the tests.

    python benchmarks/mutants.py listed                              every change of changes.py
    python benchmarks/mutants.py sampled rank evaluation --each 40   a sample of those that cosmic-ray proposes
    python benchmarks/mutants.py sampled rank --only 7,19            some of the same sample again

Each change is made in a copy of the tree, where the tests of its package run until one fails. A change is noticed if a
test fails or does not end. Nothing is changed here. Needs `pip install cosmic-ray` for `sampled`.
"""

import argparse
import ast
import difflib
import importlib
import os
import pkgutil
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from changes import CHANGES

HERE = Path(__file__).resolve().parent.parent
TESTS = {
    "fusion": "tests/fusion tests/model tests/published",
    "objectives": "tests/objectives/test_losses.py tests/objectives/test_stosa.py "
    "tests/objectives/indirec/test_contrastive.py tests/objectives/indirec/test_segments.py "
    "tests/objectives/indirec/test_diffusion.py tests/objectives",
    "rank": "tests/rank tests/serve/test_indexes.py tests/recommend/test_recommender.py",
    "evaluation": "tests/evaluation",
    "training": "tests/training/test_checkpoint.py tests/training/test_loop.py tests/runs/test_folder.py "
    "tests/training/test_step.py tests/recommend/test_evaluated_is_served.py",
    "comparison": "tests/comparison/test_comparison.py tests/comparison/test_recipe.py "
    "tests/comparison/test_popularity.py tests/comparison/report tests/comparison/test_cell.py "
    "tests/comparison/test_compare.py tests/comparison/test_searched_models.py tests/cli/test_compare.py",
}
LAYERS = (
    "data",
    "batches",
    "nn",
    "backbones",
    "fusion",
    "model",
    "objectives",
    "rank",
    "evaluation",
    "training",
    "runs",
)
"""Packages in an order in which each imports only those before it; `TESTS` has the same order."""
DOCS = "tests/test_docs.py"
"""Notices changed defaults and bounds of settings, since the reference pages have them."""
LONGEST = 200
"""Seconds of a processor after which tests that do not end count as failed; of a clock, six times as many."""


class Mutant(NamedTuple):
    """A changed file and the tests that should notice it."""

    name: str
    file: str
    text: str
    tests: str


def listed() -> Iterator[Mutant]:
    """Yield the changes of changes.py."""
    for change in CHANGES:
        text = (HERE / change.file).read_text(encoding="utf-8")
        for old, new in change.edits:
            if text.count(old) != 1:
                sys.exit(
                    f"{change.name}: {change.file} has {text.count(old)} times {old!r}; adapt changes.py"
                )
            text = text.replace(old, new)
        yield Mutant(change.name, change.file, text, change.tests)


def sampled(package: str, each: int, seed: int) -> list[Mutant]:
    """Return changes at `each` random places of a package, one change per place."""
    from cosmic_ray.commands.init import _all_work_items
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    places = defaultdict(list)
    for path in sorted((HERE / "src/prism_rec" / package).rglob("*.py")):
        types = _types(path)
        for item in _all_work_items([path], {}):
            (found,) = item.mutations
            if found.start_pos not in types:
                places[str(path.relative_to(HERE)), found.start_pos].append(found)
    draw = random.Random(seed)
    mutants = []
    for file, place in draw.sample(sorted(places), min(each, len(places))):
        found = draw.choice(places[file, place])
        text = mutate_code(
            (HERE / file).read_text(encoding="utf-8"), get_operator(found.operator_name)(), found.occurrence
        )
        mutants.append(Mutant(f"{file}:{place[0]} {found.operator_name}", file, text, TESTS[package]))
    return mutants


def _types(path: Path) -> set[tuple[int, int]]:
    """Return the places of a file that belong to annotations and other types, which nothing runs."""
    places = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in ("annotation", "returns"):
            for part in ast.walk(getattr(node, name, None) or ast.Pass()):
                if isinstance(part, ast.expr):
                    places |= {
                        (part.lineno, column) for column in range(part.col_offset, part.end_col_offset or 0)
                    }
    return places


def is_noticed(mutant: Mutant, tree: Path) -> bool:
    """Return whether the tests fail in the tree if it has the change."""
    path = tree / mutant.file
    path.write_text(mutant.text, encoding="utf-8")
    try:
        return not passes(f"{mutant.tests} {DOCS}", tree)
    finally:
        shutil.copy2(HERE / mutant.file, path)


def preload(package: str) -> None:
    """Import the packages that do not depend on one, so that they are imported once for all changes of it."""
    for name in LAYERS[: LAYERS.index(package)] if package in LAYERS else LAYERS:
        folder = importlib.import_module(f"prism_rec.{name}")
        for module in pkgutil.walk_packages(folder.__path__, f"prism_rec.{name}."):
            importlib.import_module(module.name)


def passes(tests: str, tree: Path) -> bool:
    """Run tests in a process of their own, a copy of this one, which has imported the slow packages."""
    child = os.fork()
    if not child:
        try:
            _run(tests, tree)
        finally:
            os._exit(2)
    end = time.monotonic() + 6 * LONGEST
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(tests: str, tree: Path) -> None:
    import pytest

    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
    os.chdir(tree)
    for descriptor in (1, 2):
        os.dup2(os.open(tree / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis was imported before pytest began
    os._exit(pytest.main(["-x", "-q", "-m", "", "--hypothesis-seed=0", *quiet, *tests.split()]))


def main() -> None:
    """Make the changes and say which of them no test noticed."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("kind", choices=["listed", "sampled"])
    options.add_argument("packages", nargs="*", default=[], help=", ".join(TESTS))
    options.add_argument("--each", type=int, default=40)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", help="numbers of changes, with commas; without them, all")
    given = options.parse_args()
    if given.kind == "listed":
        mutants = list(listed())
    else:
        mutants = [
            one
            for package in TESTS
            if package in (given.packages or TESTS)
            for one in sampled(package, given.each, given.seed)
        ]
    chosen = range(len(mutants)) if given.only is None else [int(number) for number in given.only.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        left_out = shutil.ignore_patterns(".*", "site", "__pycache__")
        shutil.copytree(HERE, tree, ignore=left_out, dirs_exist_ok=True)
        sys.path[:0] = [str(tree / "src"), str(tree / "tests")]
        importlib.import_module("conftest")  # it has annotations checked, and imports the slowest packages
        checked, missed = set(), 0
        for number in chosen:
            if given.kind == "sampled":
                preload(mutants[number].file.split("/")[2])
            if (tests := mutants[number].tests) not in checked and not passes(tests, tree):
                sys.exit(f"{tests} fail without any change:\n{(tree / 'output').read_text()[-2000:]}")
            checked.add(tests)
            noticed = is_noticed(mutants[number], tree)
            missed += not noticed
            print(f"{number:3} {'noticed' if noticed else 'MISSED '} {mutants[number].name}", flush=True)
            if not noticed:
                old = (HERE / mutants[number].file).read_text(encoding="utf-8").splitlines()
                difference = difflib.unified_diff(old, mutants[number].text.splitlines(), lineterm="", n=0)
                print("\n".join(f"      {line}" for line in list(difference)[3:]), flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} changes were noticed")


if __name__ == "__main__":
    main()
