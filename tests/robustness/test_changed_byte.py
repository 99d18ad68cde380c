"""One byte changed in any file of a finished folder: whoever reads the file says so in one line, or makes it again."""

import random
import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from prism_rec.errors import InputError
from prism_rec.evaluation.results import Evaluation
from prism_rec.recommend.recommender import load
from prism_rec.serve.bundles import Bundles
from robustness.content import content_of, differences
from robustness.machine import Forge
from robustness.shop import commands

pytestmark = pytest.mark.slow

Words = tuple[str, ...]

READERS: dict[str, tuple[str, tuple[Words, ...]]] = {
    "images": (
        "images",
        (("embed", "--pictures", "F", "--encoder", "picture-descriptors", "--out", "out"), ("images",)),
    ),
    "vectors": (
        "built/vectors/text",
        (
            ("prepare", "--source", "table", "--interactions", "{log.csv}", "--items", "{items.csv}")
            + ("--features", "text=F", "--out", "out"),
            ("embed", "--items", "{items.csv}", "--like", "F", "--out", "out"),
            ("embed", "--items", "{built/prepared/items.parquet}", "--fields", "title")
            + ("--encoder", "hashed-text", "--width", "8", "--out", "F"),
        ),
    ),
    "run": (
        "run",
        (
            ("evaluate", "F"),
            ("recommend", "F", "--all-users"),
            ("explain", "F", "--user", "u1", "--item", "i1"),
            ("train", "{train.yaml}", "--data", "{data}", "--from", "F", "--out", "out"),
            ("add-items", "F", "--items", "{new.csv}", "--features", "text={new.npy}", "--out", "out"),
            ("train",),
        ),
    ),
}
"""By kind of folder: where the shop has it, and what reads it. F is the folder, braces are files of the shop, and a
command alone makes the folder again."""

NOT_READ = {
    "lock": "it is empty",
}
"""Files that no command reads, with the reasons."""


@pytest.mark.parametrize("kind", READERS)
def test_a_changed_byte_is_noticed(kind: str, forge: Forge, shop: Path, place: Path) -> None:
    source, readers = READERS[kind]
    folder, whole = Path(source).name, content_of(shop / source)
    new_items(shop)
    runs = [words_of(words, folder, shop) for words in readers]
    usual = [outcome(forge, shop / source, place, words) for words in runs]
    for (status, _, _), words in zip(usual, runs, strict=True):
        assert status == 0, words
    unnoticed, wrong = [], []
    for name in names_in(shop / source, f"{kind}/"):
        noticed = False
        for words, expected in zip(runs, usual, strict=True):
            found = outcome(forge, shop / source, place, words, name)
            healed = differences(content_of(place / folder), whole) == []
            refused = found[0] == 2 and Path(name).name in found[1]
            noticed = noticed or refused or healed
            if not (found == expected or refused):
                wrong.append((name, words[0], *found[:2]))
        if not noticed:
            unnoticed.append(name)
    assert (unnoticed, wrong) == ([], [])


def names_in(folder: Path, prefix: str) -> Iterator[str]:
    """Return the names of the files that commands read; of pictures, three."""
    pictures = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        pictures += path.suffix == ".jpg"
        exempt = path.name == "lock" or any(fnmatch(prefix + name, pattern) for pattern in NOT_READ)
        further = path.suffix == ".jpg" and pictures > 3
        if path.is_file() and not further and not exempt:
            yield name


def outcome(
    forge: Forge, source: Path, place: Path, words: Words, changed: str | None = None
) -> tuple[int, str, object]:
    """Copy a folder, change a byte of a file, run a command, and return its status, its error and what it made."""
    shutil.rmtree(place)
    place.mkdir()
    shutil.copytree(source, place / source.name)
    if changed:
        change(place / source.name / changed)
    ended = forge.run(place, *words)
    if ended.status:
        return ended.status, ended.err if ended.is_one_line else f"not one line: {ended.err}", None
    if "--out" in words:
        made = place / words[words.index("--out") + 1]
        return 0, "", content_of(made)
    return 0, "", ended.out


def change(path: Path) -> None:
    """Change a byte, the same one for the same name; not that of a time or a white space, which mean nothing."""
    content = bytearray(path.read_bytes())
    place = random.Random(path.name).randrange(len(content))
    content[place] ^= 1
    path.write_bytes(content)


def words_of(words: Words, folder: str, shop: Path) -> Words:
    if len(words) == 1:
        words += tuple("F" if word == "out" else word for word in commands(shop)[words[0]].words)
    words = tuple(re.sub(r"(^|=)F(?=/|$)", rf"\1{folder}", word) for word in words)
    filled = (word.replace("{", f"{shop}/").replace("}", "") for word in words)
    return tuple(filled)


def new_items(shop: Path) -> None:
    """Write two new items with vectors."""
    (shop / "new.csv").write_text("item_id,title,images\nn1,new thing,\nn2,newer thing,\n")
    np.save(shop / "new.npy", np.ones((2, 4), np.float32))
    (shop / "new.ids.txt").write_text("n1\nn2")


def test_a_changed_byte_of_a_bundle_is_noticed(shop: Path, tmp_path: Path) -> None:
    Bundles(tmp_path / "whole").publish(load(shop / "run", "cpu"), "run", histories=True)
    names = [
        path for path in sorted((tmp_path / "whole").rglob("*")) if path.is_file() and path.name != "lock"
    ]
    assert len(names) > 10
    for path in names:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", copy)
        name = path.relative_to(tmp_path / "whole")
        change(copy / name)
        with pytest.raises(InputError, match=path.name):
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
