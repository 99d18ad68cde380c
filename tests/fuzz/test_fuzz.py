"""A seeded sample of the fuzz; `benchmarks/fuzz.py` runs all of it."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fuzz import calls, dumps, lines, vector_files, yaml_files
from fuzz.apart import ended
from fuzz.world import Case, fault_of, faults_of, make_world, sample
from prism_rec.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


@pytest.mark.parametrize(("kind", "count"), [(calls, 150), (lines, 6)], ids=["calls", "lines"])
def test_no_call_and_no_command_has_a_raw_error(
    world: Path, monkeypatch: pytest.MonkeyPatch, kind: object, count: int
) -> None:
    monkeypatch.chdir(world)
    assert faults_of(sample(kind.cases(world), count)) == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "count"), [(vector_files, 40), (yaml_files, 60)], ids=["vectors", "yaml"])
@pytest.mark.slow
def test_no_file_has_a_raw_error(tmp_path: Path, kind: object, count: int) -> None:
    found = sample(kind.cases(tmp_path), count)  # type: ignore[attr-defined]
    assert faults_of(found) == {}


@pytest.mark.slow
def test_no_dump_has_a_raw_error(tmp_path: Path) -> None:
    made = [made for made in dumps.damaged() if "huge" not in made[0] and "grow" not in made[0]]
    assert faults_of(dumps.cases(tmp_path, sample(made, 25))) == {}


@pytest.mark.parametrize(
    ("run", "fault"),
    [(int, None), (partial(time.sleep, 30), "hangs for"), (partial(os._exit, 3), "the process ended with 3")],
    ids=["good", "hangs", "ends"],
)
@pytest.mark.slow
def test_a_case_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[], object], fault: str | None
) -> None:
    monkeypatch.setattr("fuzz.apart.HANGS", 10 if fault is None else 2)
    monkeypatch.setenv("PYTHONPATH", "")
    found = ended(Case("", run))
    assert found.fault is None if fault is None else str(found.fault).startswith(fault)


def _raise(error: BaseException) -> Callable[[], object]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (InputError("one line"), None),
        (SystemExit(0), None),
        (InputError("two\nlines"), "more than one line"),
        (SystemExit(1), "exit 1"),
        (ValueError("raw"), "builtins.ValueError: raw"),
    ],
)
def test_faults_are_noticed(error: BaseException, fault: str | None) -> None:
    found = fault_of(Case("", _raise(error)))
    assert found is None if fault is None else str(found).startswith(fault)


def test_a_slow_or_large_case_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.world.SECONDS", -1)
    assert str(fault_of(Case("", int))).endswith(" s")
    monkeypatch.setattr("fuzz.world.SECONDS", 5)
    monkeypatch.setattr("fuzz.world.BYTES", -1)
    assert str(fault_of(Case("", int))).endswith(" MB")
