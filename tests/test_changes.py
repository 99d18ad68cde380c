"""The deliberate changes of benchmarks/changes.py can still be made: each finds its place in the code exactly once."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHANGES = runpy.run_path(str(ROOT / "benchmarks" / "changes.py"))["CHANGES"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_can_be_made(change):
    text = (ROOT / change.file).read_text(encoding="utf-8")
    for old, new in change.edits:
        assert text.count(old) == 1, f"{change.file}: adapt benchmarks/changes.py"
        text = text.replace(old, new)
    assert all((ROOT / path).exists() for path in change.tests.split())
    compile(text, change.file, "exec")
