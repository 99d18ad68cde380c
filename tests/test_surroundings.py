"""What surrounds the code agrees with it: versions, supported Pythons, workflows and their make targets."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from prism_rec.version import VERSION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[str, object]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_is_one_version() -> None:
    assert PROJECT["version"] == read(ROOT / "CITATION.cff")["version"] == VERSION


def test_tests_run_on_every_python_that_is_promised() -> None:
    workflow = read(ROOT / ".github/workflows/test.yml")
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    promised = [
        name.split(" :: ")[-1] for name in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d", name)
    ]
    assert tested == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_targets_of_the_makefile_only(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    (job,) = read(path)["jobs"].values()
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs
    assert {run.removeprefix("make ") for run in runs} <= targets


def test_hooks_run_what_make_lint_runs() -> None:
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = [hook["entry"].removesuffix(" --force-exclude") for hook in repository["hooks"]]
    lint = re.search(
        r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert lint is not None
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint[1].splitlines()]
    assert hooks == [command.removesuffix(" --check") for command in commands]
