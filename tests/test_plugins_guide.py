"""The backbone that docs/plugins.md writes keeps its contract, with the tests that the guide gives it."""

import re
import sys
from pathlib import Path
from types import ModuleType

GUIDE = Path(__file__).parent.parent / "docs" / "plugins.md"
NAME = "prism_rec.backbones.decaying_mean"


def run_guide() -> None:
    """Make the guide's module as if it were a file of the package, and its contract tests tests of this file."""
    module, contract = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    sys.modules[NAME] = backbone = ModuleType(NAME)
    try:
        exec(compile(module, str(GUIDE), "exec"), backbone.__dict__)
        exec(compile(contract, str(GUIDE), "exec"), globals())
    finally:
        del sys.modules[NAME]


run_guide()


def test_every_file_and_name_of_the_guide_is_there() -> None:
    root = GUIDE.parent.parent
    guide = GUIDE.read_text(encoding="utf-8")
    files = re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", guide)
    assert [name for name in files if not (root / name).exists() and "decaying_mean" not in name] == []
    assert "TestDecayingMean" in globals()
