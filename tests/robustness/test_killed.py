"""A command that is killed at any moment and run again makes what an undisturbed one makes."""

import random
import signal
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from robustness.conftest import Undisturbed
from robustness.content import content_of, differences
from robustness.machine import KILL, Disk, Forge

pytestmark = pytest.mark.slow
KILLED = ("prepare", "images", "embed", "build", "train", "tune", "compare")
MOMENTS = range(10)
QUICK = ("ensemble", "add-items", "export", "export-data")
"""Commands that make their folder at one go; at fewer moments."""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", KILLED)
def test_killed_at_a_random_time(
    name: str, moment: int, forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    """The ten moments are spread over the time that the command takes; only its first process is killed."""
    whole = undisturbed(name)
    share = (moment + random.Random(f"{name} {moment}").random()) / len(MOMENTS)
    running = forge.start(place, name, *whole.command.words)
    if running.ended(share * whole.seconds) is None:
        running.signal(signal.SIGKILL, group=False)
        assert running.wait().status in (-signal.SIGKILL, 0)  # it may have ended just before
    require_the_same(forge, whole, place)


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize(
    ("name", "moment"), [*product(KILLED, MOMENTS), *product(QUICK, MOMENTS[::3])], ids=str
)
def test_killed_at_a_random_change_of_a_file(
    name: str, moment: int, forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    """All its processes are killed before a change of the disk, or in the middle of a write."""
    whole = undisturbed(name)
    share = (moment + random.Random(f"change {name} {moment}").random()) / len(MOMENTS)
    disk = Disk(place, KILL, int(share * whole.changes))
    ended = forge.run(place, name, *whole.command.words, disk=disk)
    assert ended.status == (-signal.SIGKILL if disk.is_hit else 0)
    assert disk.is_hit or name in ("images", "compare")  # threads and processes change the disk in any order
    require_the_same(forge, whole, place)


def require_the_same(forge: Forge, whole: Undisturbed, place: Path) -> None:
    """Run the command again, and compare what it made."""
    ended = forge.run(place, whole.command.name, *whole.command.words)
    assert ended.status == 0, ended.err
    assert differences(content_of(place), whole.content) == []
