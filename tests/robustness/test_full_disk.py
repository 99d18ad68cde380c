"""A disk becomes full at any moment: one line, nothing lost, nothing half written, and it goes on with more room."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from prism_rec.folders import require_whole
from prism_rec.records import MANIFEST, read_manifest
from robustness.conftest import Undisturbed
from robustness.content import content_of, differences
from robustness.machine import FULL, Disk, Forge

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("disks")]
COMMANDS = (
    *("prepare", "images", "embed", "build", "train", "compare", "tune", "evaluate", "recommend"),
    *("export-data", "ensemble", "add-items", "export"),
)
MOMENTS = range(4)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_full_at_a_random_change(
    name: str, moment: int, forge: Forge, undisturbed: Callable[[str], Undisturbed], place: Path
) -> None:
    whole = undisturbed(name)
    share = (moment + random.Random(f"full {name} {moment}").random()) / len(MOMENTS)
    whole.command.begin(place)
    (place / "mine.txt").write_text("precious")
    before = content_of(place)
    disk = Disk(place, FULL, int(share * whole.changes))
    ended = forge.run(place, name, *whole.command.words, disk=disk)
    assert disk.is_hit
    if name == "evaluate":  # it has measured all that it was asked for
        assert (ended.status, ended.out) == (0, whole.out)
        assert "the ranks are not stored: run/evaluation-test.npz: no space is left there" in ended.err
    elif ended.status:
        assert ended.is_one_line, ended.err
        assert "no space" in ended.err or "cannot be written" in ended.err
    after = content_of(place)
    assert [name for name in before if after[name] != before[name]] == []
    require_no_half(place)
    again = forge.run(place, name, *whole.command.words)
    assert again.status == 0, again.err
    assert differences(content_of(place), {**whole.content, "mine.txt": after["mine.txt"]}) == []
    assert ended.status or name in ("evaluate", "images")


def require_no_half(place: Path) -> None:
    """Check that every folder that says that it is finished is whole."""
    for path in place.rglob(MANIFEST):
        require_whole(path.parent, read_manifest(path)["stage"])
