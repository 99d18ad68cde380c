"""Seconds and memory that preparing a log takes: a generated one, by default as large as Yelp's (7 million reviews).

python benchmarks/data.py [--reviews 7000000] [--file reviews.json] [--json]

The file has Yelp's fields, review texts included (about 5 GB); with --file it is kept, and used again if it is there.
The command is measured from outside, the start of Python and the hashing of its input included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

CHUNK = 500_000
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)


def write_reviews(path: Path, reviews: int) -> None:
    """Write reviews in no order, most of them by few users of few businesses, as Yelp's are."""
    random = np.random.default_rng(0)
    users, businesses = draw_ids(random, max(10, reviews * 2 // 7)), draw_ids(random, max(10, reviews // 47))
    text = random.choice(LETTERS, 4000).tobytes().decode()
    with path.open("wb") as file:
        for start in range(0, reviews, CHUNK):
            number = min(CHUNK, reviews - start)
            chunk = pl.DataFrame(
                {
                    "user_id": users.gather((len(users) * random.random(number) ** 4).astype(np.int64)),
                    "business_id": businesses.gather(
                        (len(businesses) * random.random(number) ** 2).astype(np.int64)
                    ),
                    "stars": random.integers(1, 6, number).astype(np.float64),
                    "useful": 0,
                    "length": np.minimum(4000, random.exponential(550, number)).astype(np.int64),
                    "date": random.integers(1_108_000_000, 1_642_000_000, number),
                }
            )
            date = pl.from_epoch("date", "s").dt.strftime("%Y-%m-%d %H:%M:%S")
            chunk.with_columns(date, text=pl.lit(text).str.slice(0, pl.col("length"))).drop(
                "length"
            ).write_ndjson(file)


def draw_ids(random: np.random.Generator, number: int) -> pl.Series:
    """Return ids of 22 characters."""
    return pl.Series(random.choice(LETTERS, (number, 22)).view("S22").ravel().astype(str))


def measure(path: Path, out: Path) -> dict[str, float]:
    """Prepare the file with an iterated 5-core."""
    words = ["prepare", "--source", "yelp", "--reviews", path, "--core", "5", "--out", out]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from prism_rec.cli import main; main()", *map(str, words)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    return {
        "megabytes": round(path.stat().st_size / 1e6),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_memory_mb": round(after.ru_maxrss / 1024),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[1], 1),
        **{f"{name}_left": count for name, count in counts.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, default=7_000_000)
    parser.add_argument("--file", type=Path, help="where to keep the generated file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reviews_file = arguments.file or Path(folder) / "reviews.json"
        if not reviews_file.exists():
            write_reviews(reviews_file, arguments.reviews)
        figures = {"reviews": arguments.reviews, **measure(reviews_file, Path(folder) / "data")}
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name.replace('_', ' '):20} {value}")
