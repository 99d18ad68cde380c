"""The package imports on every system, and with no more than its own dependencies."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "import_all.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(["fcntl", "grp", "pwd", "resource", "termios"], id="what Windows lacks"),
        pytest.param(
            ["PIL", "httpcore2", "httpx2", "optuna", "ray", "tenacity", "transformers"], id="extras"
        ),
        pytest.param(
            ["beartype", "hypothesis", "ir_measures", "pandas", "pyarrow", "pytest"], id="tools of the tests"
        ),
    ],
)
def test_every_module_is_imported_without(missing: list[str]) -> None:
    done = subprocess.run([sys.executable, SCRIPT, *missing], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
