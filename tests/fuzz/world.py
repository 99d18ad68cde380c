"""A small folder with everything that a call or command reads, and how one case is run and judged."""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl
from cyclopts import CycloptsError

from prism_rec import Dataset, InputError, RunConfig, train

SECONDS, BYTES = 5.0, 2**30
"""A case that computes longer, or needs more memory, is a fault."""
HANGS = 60.0
"""Seconds on the clock after which a case hangs; on a busy machine, the clock says little about a case."""
CONFIG = {
    "model": {
        "width": 8,
        "max_length": 5,
        "fusion": {"kind": "sum"},
        "backbone": {"kind": "sasrec", "layers": 1, "heads": 1},
    },
    "train": {"epochs": 1},
}
IDS = [f"i{number}" for number in range(12)]


def make_world(folder: Path) -> None:
    """Write a log, items, vectors, pictures, a dataset and a run into the folder."""
    from PIL import Image

    random = np.random.default_rng(0)
    rows = [
        (f"u{user}", IDS[item], 9 * user + time)
        for user in range(15)
        for time, item in enumerate(random.permutation(12)[:6])
    ]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    log.write_csv(folder / "log.csv")
    items = pl.DataFrame(
        {"item_id": IDS, "title": [f"thing {one} red" for one in IDS], "price": list(range(12))}
    )
    items.write_csv(folder / "items.csv")
    vectors = random.normal(size=(12, 4)).astype(np.float32)
    np.save(folder / "text.npy", vectors)
    (folder / "text.ids.txt").write_text("\n".join(IDS))
    (folder / "p").mkdir()
    for number in range(3):
        noise = random.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"p/{IDS[number]}.png")
    dataset = Dataset.from_frame(log, items, {"text": (vectors, IDS)})
    dataset.save(folder / "data")
    train(RunConfig.parse(CONFIG), folder / "run", data=dataset, device="cpu")
    (folder / "t.yaml").write_text("model: {width: 8, fusion: {kind: sum}}\ntrain: {epochs: 1}\n")


T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """One call, command or file."""

    name: str
    run: Callable[[], object]


def fault_of(case: Case) -> str | None:
    """Run a case and return what is wrong with how it ended; None if it ended well, or with one line."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, began = time.process_time(), time.perf_counter()
    try:
        case.run()
    except (InputError, CycloptsError) as error:
        # The command line joins the lines of an error of wrong words, which has several.
        if isinstance(error, InputError) and "\n" in str(error):
            return f"more than one line: {error}"
    except SystemExit as stop:
        if stop.code not in (0, None):
            return f"exit {stop.code}"
    except Exception as error:  # whatever it is, it is not ours
        return f"{type(error).__module__}.{type(error).__name__}: {error}".replace("\n", " ")[:300]
    seconds, waited = time.process_time() - start, time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if seconds > SECONDS or waited > HANGS:
        return f"{max(seconds, waited):.1f} s"
    return f"{grown / 2**20:.0f} MB" if grown > BYTES else None


def faults_of(cases: Sequence[Case]) -> dict[str, str]:
    """Run cases and return the faults by name."""
    return {case.name: fault for case in cases if (fault := fault_of(case)) is not None}


def sample(cases: Sequence[T], count: int, seed: int = 0) -> list[T]:
    """Return `count` cases, the same for the same seed; all of them if there are fewer."""
    places = np.random.default_rng(seed).permutation(len(cases))[:count]
    return [cases[place] for place in sorted(places)]
