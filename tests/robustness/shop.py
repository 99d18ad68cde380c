"""A small shop: its files, everything that the commands make of them, and the commands."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

ITEMS = [f"i{number}" for number in range(40)]
TEXTS = 4_200
"""Of the command embed: so many that it writes them in three parts."""
RUN: dict[str, Any] = {
    "model": {
        "width": 8,
        "max_length": 6,
        "fusion": {"kind": "sum"},
        "backbone": {"kind": "sasrec", "layers": 1, "heads": 1},
    },
    "train": {"epochs": 4, "patience": 4, "batch_size": 16},
}
SHORT: dict[str, Any] = {**RUN, "train": {**RUN["train"], "epochs": 2}}
"""For the commands that train several models."""
SEARCH = {
    **SHORT,
    "tune": {
        "trials": 3,
        "space": {"train.learning_rate": {"kind": "log_uniform", "low": 1e-4, "high": 1e-1}},
    },
}


@dataclass(frozen=True)
class Command:
    """A command that is run in an empty folder, or in one that has what `begin` puts there."""

    name: str
    words: tuple[str, ...]
    begin: Callable[[Path], None] = lambda folder: None


def write_files(folder: Path, address: str) -> None:
    """Write log, items, texts, vectors and settings; the items' pictures are at an address."""
    random = np.random.default_rng(0)
    rows = [
        (f"u{user}", ITEMS[item], 86_400 * (9 * user + time))
        for user in range(60)
        for time, item in enumerate(random.permutation(len(ITEMS))[:7])
    ]
    pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row").write_csv(folder / "log.csv")
    titles = [f"thing {one} {'red' if number % 2 else 'blue'}" for number, one in enumerate(ITEMS)]
    pictures = [f"{address}/ok/{one}.jpg" for one in ITEMS]
    pl.DataFrame({"item_id": ITEMS, "title": titles, "images": pictures}).write_csv(folder / "items.csv")
    words = random.choice(np.array(["red", "blue", "new", "old"]), TEXTS)
    texts = [f"{number} {word}" for number, word in enumerate(words)]
    pl.DataFrame({"item_id": [f"t{n}" for n in range(TEXTS)], "title": texts}).write_csv(folder / "texts.csv")
    np.save(folder / "text.npy", random.normal(size=(len(ITEMS), 4)).astype(np.float32))
    (folder / "text.ids.txt").write_text("\n".join(ITEMS))
    (folder / "new.csv").write_text("item_id,title,images\nn1,new thing,\nn2,newer thing,\n")
    np.save(folder / "new.npy", np.ones((2, 4), np.float32))
    (folder / "new.ids.txt").write_text("n1\nn2")
    log = {"kind": "table", "interactions": [str(folder / "log.csv")], "items": str(folder / "items.csv")}
    recipe = {
        "prepare": {"source": log},
        "images": {"size": 32, "allow_private": True},
        "embed": {
            "text": {"fields": ["title"], "encoder": {"kind": "hashed-text", "width": 8}},
            "image": {"encoder": {"kind": "picture-descriptors"}},
        },
    }
    other = {**RUN["model"], "fusion": {"kind": "id"}}
    comparison = {
        "base": SHORT,
        "models": {"id": {"model": other}, "sum": {}},
        "data": {"shop": str(folder / "data")},
        "jobs": 1,
        "threads": 1,
    }
    settings = {"build": recipe, "train": RUN, "tune": SEARCH, "compare": comparison}
    for name, values in settings.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))


def commands(shop: Path) -> dict[str, Command]:
    """Return the commands by name; later ones need what earlier ones make in the shop."""

    def given(name: str) -> str:
        return str(shop / name)

    def copy_run(folder: Path) -> None:
        shutil.copytree(shop / "run", folder / "run")

    found = [
        Command(
            "prepare",
            (
                *("--source", "table", "--interactions", given("log.csv"), "--items", given("items.csv")),
                *("--features", f"text={given('text.npy')}", "--out", "out"),
            ),
        ),
        Command(
            "images",
            ("--table", given("items.csv"), "--size", "32", "--allow-private", "--connections", "4")
            + ("--out", "out"),
        ),
        Command(
            "embed",
            ("--items", given("texts.csv"), "--encoder", "hashed-text", "--width", "8", "--out", "out"),
        ),
        Command("build", (given("build.yaml"), "--out", "out")),
        Command("train", (given("train.yaml"), "--data", given("data"), "--out", "out")),
        Command("evaluate", ("run",), copy_run),
        Command("recommend", (given("run"), "--all-users", "--k", "5", "--out", "out.parquet")),
        Command("export-data", (given("data"), "--format", "recbole", "--out", "out")),
        Command("tune", (given("tune.yaml"), "--data", given("data"), "--out", "out")),
        Command("compare", (given("compare.yaml"), "--out", "out")),
        Command("ensemble", (given("run"), given("comparison/cells/shop/id/seed-0"), "--out", "out")),
        Command(
            "add-items",
            (
                given("run"),
                "--items",
                given("new.csv"),
                "--features",
                f"text={given('new.npy')}",
                "--out",
                "out",
            ),
        ),
        Command("export", (given("run"), "--format", "torch", "--out", "out")),
    ]
    return {command.name: command for command in found}


MADE = {
    "prepare": "data",
    "images": "images",
    "embed": "vectors",
    "build": "built",
    "train": "run",
    "compare": "comparison",
    "tune": "search",
    "export-data": "export",
}
"""The folders that a shop has, by the command that makes them."""


def made_in(shop: Path, command: Command) -> tuple[str, ...]:
    """Return the words of a command with its output in the shop."""
    return tuple(str(shop / MADE[command.name]) if word == "out" else word for word in command.words)
