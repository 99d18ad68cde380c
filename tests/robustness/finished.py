"""Every kind of finished folder: how it is made, and the commands that read it."""

import re
from dataclasses import dataclass
from pathlib import Path

from robustness.shop import commands

Words = tuple[str, ...]
"""The words of a command. F is the folder, a name in braces is in the shop, and a name with a star is the folder of the
only such file. A command without further words is that of the shop, with F as its output."""


@dataclass(frozen=True)
class Finished:
    """A kind of finished folder."""

    make: tuple[Words, ...]
    """The commands that make it, in an empty place."""
    readers: tuple[Words, ...]
    """Commands that read it. Together they open every file that any command opens."""
    unchecked: tuple[str, ...] = ()
    """Patterns of files on which no result depends, so that they need not be noticed."""


PREPARE = ("prepare", "--source", "table", "--interactions", "{log.csv}", "--items", "{items.csv}")
TABLES = ("--format", "recbole", "--out", "out")
HASHED = ("--fields", "title", "--encoder", "hashed-text", "--width", "8")
PICTURES = ("--encoder", "picture-descriptors", "--out", "out")
NEW = ("--items", "{new.csv}", "--features", "text={new.npy}", "--out")
TRAIN = ("train", "{train.yaml}", "--data", "{data}")

FINISHED = {
    "data": Finished(
        (("prepare",),),
        (
            ("prepare",),
            ("describe", "F"),
            ("train", "{train.yaml}", "--data", "F", "--out", "out"),
            ("export-data", "F", *TABLES),
            ("embed", "--items", "F", *HASHED, "--out", "out"),
            ("embed", "--items", "F/items.parquet", *HASHED, "--out", "out"),
        ),
    ),
    "images": Finished((("images",),), (("images",), ("embed", "--pictures", "F", *PICTURES))),
    "vectors": Finished(
        (("embed", "--items", "{items.csv}", *HASHED, "--out", "F"),),
        (
            ("embed", "--items", "{items.csv}", *HASHED, "--out", "F"),
            (*PREPARE, "--features", "text=F", "--out", "out"),
            ("embed", "--items", "{items.csv}", "--like", "F", "--out", "out"),
        ),
    ),
    "build": Finished(
        (("build",),),
        (
            ("build",),
            ("describe", "F/prepared"),
            ("describe", "F/dataset"),
            ("embed", "--pictures", "F/images", *PICTURES),
            (*PREPARE, "--features", "text=F/vectors/text", "--out", "out"),
            (*PREPARE, "--features", "image=F/vectors/image", "--out", "out"),
        ),
    ),
    "tables": Finished(
        (("export-data", "{data}", "--format", "recbole", "--out", "F"),), (("export-data",),)
    ),
    "run": Finished(
        (("train",),),
        (
            ("train",),
            ("evaluate", "F"),
            ("recommend", "F", "--all-users"),
            ("explain", "F", "--user", "u1", "--item", "i1"),
            (*TRAIN, "--from", "F", "--out", "out"),
            ("add-items", "F", *NEW, "out"),
            ("export", "F", "--format", "onnx", "--out", "out"),
        ),
    ),
    "run with new items": Finished(
        (("add-items",),),
        (("add-items",), ("recommend", "F", "--all-users")),
    ),
    "ensemble": Finished(
        (("ensemble",),),
        (("evaluate", "F"), ("recommend", "F", "--all-users")),
    ),
    "search": Finished(
        (("tune",),),
        (
            ("tune",),
            ("tune", "{tune.yaml}", "--data", "{data}", "--set", "tune.trials=4", "--out", "F"),
            ("train", "F/best.yaml", "--data", "{data}", "--out", "out"),
            ("evaluate", "F/trials/*/manifest.json"),
        ),
        # Of a trial that was not the best: settings and log are for people, and nothing else is left to be deleted.
        ("trials/*/config.json", "trials/*/log.jsonl", "trials/*/unfinished.json"),
    ),
    "comparison": Finished(
        (("compare",),),
        (
            ("compare",),
            ("evaluate", "F/cells/shop/id/seed-0"),
            ("recommend", "F/cells/shop/sum/seed-0", "--all-users"),
        ),
    ),
}


def words_of(words: Words, folder: Path, shop: Path) -> Words:
    """Return the words of a command that is run next to a folder."""
    if len(words) == 1:
        words += tuple("F" if word == "out" else word for word in commands(shop)[words[0]].words)
    words = tuple(re.sub(r"(^|=)F(?=/|$)", rf"\1{folder.name}", word) for word in words)
    words = tuple(word.replace("{", f"{shop}/").replace("}", "") for word in words)
    return tuple(_only(folder.parent, word) if "*" in word else word for word in words)


def _only(place: Path, pattern: str) -> str:
    (found,) = place.glob(pattern)
    return found.parent.relative_to(place).as_posix()
