"""Two commands at once: one stops in the middle, the other begins; each does its work, or says in one line why not."""

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from robustness.conftest import Undisturbed
from robustness.content import content_of, differences
from robustness.machine import STOP, Disk, Ended, Forge
from robustness.shop import MADE, commands
from robustness.test_full_disk import require_no_half

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("disks")]
LONG = 3.0
"""Seconds after which a command that still runs waits for the other one."""
TWICE = (
    *("prepare", "images", "embed", "build", "train", "tune", "compare", "export-data", "evaluate"),
    "recommend",
)


def at_once(
    forge: Forge, place: Path, first: tuple[str, ...], second: tuple[str, ...], at: int
) -> list[Ended]:
    """Stop the first command at a change of the disk, run the second one, and let the first go on."""
    disk = Disk(place, STOP, at)
    one = forge.start(place, *first, disk=disk, tag=".one")
    one.wait_until_stopped(disk)
    other = forge.start(place, *second, tag=".two")
    other.ended(LONG)
    one.signal(signal.SIGCONT)
    return [one.wait(), other.wait()]


def require_good_ends(ends: list[Ended]) -> None:
    assert any(end.status == 0 for end in ends), [end.err for end in ends]
    for end in ends:
        assert end.status == 0 or end.is_one_line, end.err


@pytest.mark.parametrize("name", TWICE)
def test_the_same_command_twice(
    name: str, forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    whole = undisturbed(name)
    whole.command.begin(place)
    at = random.Random(f"twice {name}").randrange(whole.changes)
    words = (name, *whole.command.words)
    ends = at_once(forge, place, words, words, at)
    require_good_ends(ends)
    assert differences(content_of(place), whole.content) == []


def _copied(*names: str) -> Callable[[Path, Path], None]:
    def copy(shop: Path, place: Path) -> None:
        for name in names:
            shutil.copytree(shop / MADE[name], place / MADE[name])

    return copy


PREPARE = ("prepare", "--core", "2", "--replace")
"""Makes the dataset of other settings; the options of the source follow."""
PAIRS = {
    # The one that is stopped writes, and the other one reads.
    "train and evaluate": ((), ("train",), ("evaluate", "out")),
    "train and recommend": ((), ("train",), ("recommend", "out", "--user", "u1")),
    "prepare and train": (("prepare",), PREPARE, ("train", "{train.yaml}", "--data", "data", "--out", "run")),
    "prepare and tune": (("prepare",), PREPARE, ("tune", "{tune.yaml}", "--data", "data", "--out", "search")),
    "prepare and export": (
        ("prepare",),
        PREPARE,
        ("export-data", "data", "--format", "recbole", "--out", "export"),
    ),
    "prepare and describe": (("prepare",), PREPARE, ("describe", "data")),
    "prepare and embed": (
        ("prepare",),
        PREPARE,
        ("embed", "--items", "data", "--encoder", "hashed-text", "--out", "vectors"),
    ),
    "images and embed": (
        (),
        ("images",),
        ("embed", "--pictures", "out", "--encoder", "picture-descriptors", "--out", "vectors"),
    ),
    "embed and embed like it": (
        (),
        ("embed",),
        ("embed", "--items", "{items.csv}", "--like", "out", "--out", "b"),
    ),
    "compare and evaluate": ((), ("compare",), ("evaluate", "out/cells/shop/sum/seed-0")),
    "tune and train": ((), ("tune",), ("train", "out/best.yaml", "--data", "{data}", "--out", "run")),
    "build and describe": ((), ("build",), ("describe", "out/dataset")),
    # The one that is stopped reads, and writes what it made of it.
    "train and prepare": (
        ("prepare",),
        ("train", "{train.yaml}", "--data", "data", "--out", "run"),
        PREPARE,
    ),
    "export and prepare": (
        ("prepare",),
        ("export-data", "data", "--format", "recbole", "--out", "export"),
        PREPARE,
    ),
    "evaluate and train": (
        ("train",),
        ("evaluate", "run"),
        ("train", "{train.yaml}", "--data", "{data}", "--out", "run"),
    ),
}
"""By name: the folders that are there, the command that is stopped, and the one that runs meanwhile."""


def _words(shop: Path, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command; files of the shop are in braces, and a name alone is its usual command."""
    known = commands(shop)
    if len(words) == 1:
        return words + known[words[0]].words
    if words is PREPARE:
        return (*words, *known["prepare"].words[:-1], "data")
    return tuple(str(shop / word[1:-1]) if word.startswith("{") else word for word in words)


@pytest.mark.parametrize("name", PAIRS)
def test_a_writer_and_a_reader(name: str, forge: Forge, shop: Path, place: Path) -> None:
    there, first, second = PAIRS[name]
    alone = place.with_name("alone")
    for folder in (place, alone):
        folder.mkdir(exist_ok=True)
        _copied(*there)(shop, folder)
    words = [_words(shop, first), _words(shop, second)]
    disk = Disk(alone)
    assert forge.run(alone, *words[0], disk=disk).status == 0
    ends = at_once(forge, place, *words, random.Random(name).randrange(disk.changes))
    require_good_ends(ends)
    assert ends[0].status == 0, ends[0].err  # the other one only reads, or does not write what this one does
    require_no_half(place)
    made = differences(content_of(place), content_of(alone))
    forge.run(alone, *words[1])
    if ends[1].status == 0:  # the reader saw the old content or the new one, and nothing between
        assert made == [] or differences(content_of(place), content_of(alone)) == [] or there
