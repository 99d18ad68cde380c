"""Command lines with one odd word: a wrong value, a missing one, an option given twice, a file of another kind."""

from functools import partial
from itertools import count
from pathlib import Path

from fuzz.world import Case

_out = count()
ODD = (
    "",
    "x",
    "-1",
    "1.5",
    "nan",
    "9" * 30,
    "[1",
    "a=b",
    "=",
    "a=",
    "../../x",
    "x" * 300,
    "\x1b[2J",
    "日本",
    "[/x]",
    ":",
    "-",
)
"""Words that are no right value of most options."""


def cases(world: Path) -> list[Case]:
    """Return all command lines, in an order that does not change."""
    out, w = "OUT", str(world)
    ready: dict[str, tuple[str, ...]] = {
        "prepare": ("--source", "table", "--interactions", f"{w}/log.csv", "--items", f"{w}/items.csv")
        + ("--features", f"text={w}/text.npy", "--core", "1", "--duplicates", "first", "--out", out),
        "images": (
            "--table",
            f"{w}/items.csv",
            "--source-column",
            "title",
            "--local",
            f"{w}/p",
            "--size",
            "64",
            "--out",
            out,
        ),
        "embed": (
            "--items",
            f"{w}/items.csv",
            "--encoder",
            "hashed-text",
            "--width",
            "8",
            "--fields",
            "title",
            "--out",
            out,
        ),
        "build": (f"{w}/t.yaml", "--out", out),
        "describe": (f"{w}/data",),
        "export-data": (f"{w}/data", "--format", "recbole", "--out", out),
        "train": (
            f"{w}/t.yaml",
            "--data",
            f"{w}/data",
            "--set",
            "train.epochs=1",
            "--device",
            "cpu",
            "--out",
            out,
        ),
        "evaluate": (f"{w}/run", "--part", "test", "--device", "cpu", "--threads", "1"),
        "recommend": (
            f"{w}/run",
            "--history",
            "i1,i2",
            "--k",
            "3",
            "--candidates",
            f"{w}/text.ids.txt",
            "--device",
            "cpu",
        ),
        "explain": (f"{w}/run", "--history", "i1,i2", "--item", "i3", "--device", "cpu"),
        "tune": (f"{w}/t.yaml", "--data", f"{w}/none", "--set", "tune.trials=1", "--out", out),
        "compare": (f"{w}/t.yaml", "--data", f"x={w}/none", "--out", out),
    }
    files = (
        f"{w}/log.csv",
        f"{w}/text.npy",
        f"{w}/data",
        f"{w}/run",
        f"{w}/p/i0.png",
        f"{w}/t.yaml",
        f"{w}/none",
        w,
    )
    found = [Case(f"{command} -h", partial(_run, (command, "--help"))) for command in ready]
    for command, words in ready.items():
        for place in range(len(words)):
            for odd in (*ODD, *files):
                changed = (command, *words[:place], odd, *words[place + 1 :])
                found.append(Case(" ".join(changed).replace(w, "W")[:150], partial(_run, changed)))
            found.append(
                Case(
                    f"{command} without {place}",
                    partial(_run, (command, *words[:place], *words[place + 1 :])),
                )
            )
            found.append(
                Case(f"{command} twice {place}", partial(_run, (command, *words, *words[place : place + 2])))
            )
    return found


def _run(words: tuple[str, ...]) -> None:
    from command_line import prism_rec

    ran = prism_rec(*(f"out-{next(_out)}" if word == "OUT" else word for word in words), "--quiet")
    if ran.status not in (0, 2) or "Traceback" in ran.err or len(ran.err.splitlines()) > 1:
        raise AssertionError(f"status {ran.status}: {ran.err}")
