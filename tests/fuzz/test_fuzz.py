"""A seeded sample of the fuzz; `benchmarks/fuzz.py` runs all of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz import calls, files, lines
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


def test_no_file_has_a_raw_error(tmp_path: Path) -> None:
    assert faults_of(sample(files.cases(tmp_path / "files"), 60)) == {}


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
