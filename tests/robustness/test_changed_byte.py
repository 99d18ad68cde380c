"""One byte changed in any file of a finished folder: whoever reads the file says so in one line, or makes it again."""

import random
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prism_rec.errors import InputError
from prism_rec.evaluation.results import Evaluation
from prism_rec.recommend.recommender import load
from prism_rec.records import MANIFEST, read_manifest
from prism_rec.runs.shared_data import SharedData
from prism_rec.serve.bundles import Bundles
from robustness.content import content_of, differences
from robustness.finished import FINISHED, Words, words_of
from robustness.machine import Disk, Forge

pytestmark = pytest.mark.slow
PICTURES = 3
"""Pictures of which a byte is changed; the others are like them."""
HEAD = 64
"""Bytes at the begin of a file, which often says what the file is."""


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize("kind", FINISHED)
def test_a_changed_byte_is_noticed(kind: str, forge: Forge, shop: Path, place: Path) -> None:
    """Bytes of every file are changed, one at a time, and every command is run that opens the file.

    A command refuses the folder and names the file, or does what it does with the folder as it was. At least one of the
    commands refuses it, or makes the file again.
    """
    whole = place.with_name("folder")
    for words in FINISHED[kind].make:
        ended = forge.run(place, *words_of(words, whole, shop))
        assert ended.status == 0, (words, ended.err)
    shutil.move(place / whole.name, whole)
    readers = [Reader(forge, place, whole, words_of(words, whole, shop)) for words in FINISHED[kind].readers]
    unnoticed, wrong = [], []
    for name in names_in(whole):
        reading = [reader for reader in readers if name in reader.opened]
        is_unchecked = any(fnmatch(name, pattern) for pattern in FINISHED[kind].unchecked)
        assert reading or is_listed(whole, name) or is_unchecked, name
        for byte in bytes_of(whole / name):
            ends = {" ".join(reader.words): reader.read(name, byte) for reader in reading}
            wrong += [(name, byte, words, end) for words, end in ends.items() if end not in GOOD]
            if reading and not is_unchecked and not {"refused", "healed"} & set(ends.values()):
                unnoticed.append((name, byte))
    assert (unnoticed, wrong) == ([], [])


GOOD = ("refused", "healed", "the same")
"""How a command may end that reads a changed file; any other text is an error."""


class Reader:
    """A command that reads a finished folder.

    Args:
        forge: runs it.
        place: where, next to a copy of the folder.
        whole: the folder.
        words: the command.
    """

    def __init__(self, forge: Forge, place: Path, whole: Path, words: Words) -> None:
        self.forge, self.place, self.whole, self.words = forge, place, whole, words
        self.writes_folder = words[-2:] == ("--out", whole.name)
        disk, folder = Disk(place), place / whole.name
        status, err, self.made = self._run(disk=disk)
        assert status == 0, (words, err)
        self.after = content_of(folder)
        self.opened = {path.relative_to(folder).as_posix() for path in disk.read if folder in path.parents}
        assert self.opened, words

    def read(self, name: str, byte: int) -> str:
        """Run it with a changed byte, and return how it ended, as `GOOD` has it."""
        path = self.place / self.whole.name / name
        status, err, made = self._run(name, byte)
        if status:
            return "refused" if status == 2 and path.name in err else err
        after = content_of(self.place / self.whole.name).get(name)
        is_healed = path.read_bytes() != self.changed and after == self.after.get(name)
        if self.writes_folder:
            made.pop(name, None)
        differing = [one for one in differences(made, self.made) if one != name or not self.writes_folder]
        if all("-again/" in one for one in differing):  # a copy that runs share is made again next to it
            return "healed" if is_healed or differing else "the same"
        return f"another result: {differing}"

    def _run(
        self, name: str | None = None, byte: int = 0, disk: Disk | None = None
    ) -> tuple[int, str, dict[str, Any]]:
        """Copy the folder, change a byte of a file, run the command, and return status, error and what it made."""
        shutil.rmtree(self.place)
        self.place.mkdir()
        shutil.copytree(self.whole, self.place / self.whole.name)
        if name:
            self.changed = change(self.place / self.whole.name / name, byte)
        ended = self.forge.run(self.place, *self.words, disk=disk)
        if ended.status:
            return ended.status, ended.err if ended.is_one_line else f"not one line: {ended.err}", {}
        if "--out" in self.words:
            return 0, "", content_of(self.place / self.words[self.words.index("--out") + 1])
        return 0, "", {"output": ended.out}


def names_in(folder: Path) -> list[str]:
    """Return the names of the files that have content; of pictures, three of each folder."""
    names = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
        pictures = [name for name in names if name.endswith(".jpg") and (folder / name).parent == path.parent]
        if path.suffix != ".jpg" or len(pictures) < PICTURES:
            names.append(path.relative_to(folder).as_posix())
    return names


def bytes_of(path: Path) -> list[int]:
    """Return the places of some bytes, the same ones for the same name: one in the head, and anywhere.

    Two of a file that is compared with its hash as a whole, and more of a document of which commands read the values.
    """
    size, place = path.stat().st_size, random.Random(f"{path.parent.name} {path.name}")
    return [
        place.randrange(min(size, HEAD)),
        *(place.randrange(size) for _ in range(4 if path.suffix == ".json" else 1)),
    ]


def change(path: Path, byte: int) -> bytes:
    """Change a bit of a byte, the same one for the same name, and return the new content."""
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << random.Random(f"{path.name} {byte}").randrange(8)
    path.write_bytes(content)
    return bytes(content)


def is_listed(folder: Path, name: str) -> bool:
    """Return whether a file has a hash to be compared with: a manifest has its own, and those of other files."""
    path = folder / name
    if path.name == MANIFEST:
        return True
    for above in path.parents:
        if (above / MANIFEST).exists() and path.relative_to(above).as_posix() in read_manifest(
            above / MANIFEST
        )["files"]:
            return True
        if above == folder:
            return False
    raise AssertionError(name)


def test_a_changed_byte_of_a_copy_that_runs_share_is_noticed(shop: Path, tmp_path: Path) -> None:
    """The folder `data` of a search and of a comparison, from which the next run is made."""
    SharedData(shop / "data", tmp_path / "pool").link(tmp_path / "first")
    whole, names = content_of(tmp_path / "first"), names_in(tmp_path / "pool")
    assert len(names) > 5
    for name in names:
        for number, byte in enumerate(bytes_of(tmp_path / "pool" / name)):
            copy = tmp_path / f"{name} {number}"
            shutil.copytree(tmp_path / "pool", copy / "pool")
            change(copy / "pool" / name, byte)
            SharedData(shop / "data", copy / "pool").link(copy / "run")
            assert differences(content_of(copy / "run"), whole) == []


def test_a_changed_byte_of_a_bundle_is_noticed(shop: Path, tmp_path: Path) -> None:
    Bundles(tmp_path / "whole").publish(load(shop / "run", "cpu"), "run", histories=True)
    names = names_in(tmp_path / "whole")
    assert len(names) > 10
    for name in names:
        for byte in bytes_of(tmp_path / "whole" / name):
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(tmp_path / "whole", copy)
            change(copy / name, byte)
            with pytest.raises(InputError, match=Path(name).name):
                Bundles(copy).load()


def test_every_changed_byte_of_an_evaluation_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    """The file is not in the manifest, because it is written after training; its archive has checks of its own."""
    path = tmp_path / "evaluation-test.npz"
    whole = Evaluation(np.arange(20), np.arange(1, 21), np.arange(100).reshape(20, 5))
    whole.save(path)
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        try:
            found = Evaluation.load(path)
        except InputError:
            noticed += 1
        else:
            for name in ("users", "ranks", "top"):
                assert np.array_equal(getattr(found, name), getattr(whole, name)), (place, name)
    assert noticed > len(content) // 2
