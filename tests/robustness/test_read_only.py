"""A disk that may only be read: commands that only read do their work, and the others say why they do not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from robustness.conftest import Undisturbed
from robustness.content import content_of, differences
from robustness.machine import READ_ONLY, Disk, Forge
from robustness.shop import MADE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("disks")]
WRITING = (
    *("prepare", "images", "embed", "build", "train", "tune", "compare", "export-data", "recommend"),
    *("ensemble", "add-items", "export"),
)


@pytest.mark.parametrize("name", WRITING)
def test_a_command_that_cannot_write_says_so(
    name: str, forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    whole = undisturbed(name)
    ended = forge.run(place, name, *whole.command.words, disk=Disk(place, READ_ONLY))
    assert ended.is_one_line, ended.err
    assert "it may not be read or written; change its permissions, or name another place" in ended.err
    assert list(place.iterdir()) == []
    assert forge.run(place, name, *whole.command.words).status == 0
    assert differences(content_of(place), whole.content) == []


def test_evaluate_measures_a_run_that_it_cannot_write(
    forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    whole = undisturbed("evaluate")
    whole.command.begin(place)
    ended = forge.run(place, "evaluate", "run", disk=Disk(place, READ_ONLY))
    assert (ended.status, ended.out) == (0, whole.out)
    assert "the ranks are not stored: run/evaluation-test.npz: it may not be read or written" in ended.err


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "describe": ("describe", "data"),
        "explain": ("explain", "run", "--user", "u1", "--item", "i1"),
        "recommend": ("recommend", "run", "--all-users"),
        "plan": ("plan", "train.yaml", "--data", "data"),
        "export": ("export-data", "data", "--format", "recbole", "--out", "NEAR/export"),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_commands_that_only_read_do_their_work(
    name: str, words: tuple[str, ...], forge: Forge, shop: Path, place: Path
) -> None:
    for folder in (MADE["prepare"], MADE["train"]):
        shutil.copytree(shop / folder, place / folder)
    shutil.copy(shop / "train.yaml", place)
    before = content_of(place)
    words = tuple(word.replace("NEAR", str(place.parent)) for word in words)
    ended = forge.run(place, *words, disk=Disk(place, READ_ONLY))
    assert ended.status == 0, (name, ended.err)
    assert content_of(place) == before
