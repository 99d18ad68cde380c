"""What a folder has, without what two runs may differ in: times, memory, requests, and hashes of files with those."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

VARYING = {
    *("seconds", "training_seconds", "testing_seconds", "peak_memory_mb", "changed", "attempts"),
    *("encoded", "reused", "bytes", "sha256"),
}
"""Keys and columns. Files are compared whole, so that their hashes and lengths in a manifest need not be."""
LEFT_OUT = {
    "report.html": "it shows times; its other numbers are in results.json",
    "table.md": "as report.html",
    "lock": "it is empty",
    "steps.json": "it has the paths of the inputs as they are from the folder, which differ between two folders",
    "study.db": "a database with the time of each trial; its content is in trials.csv",
    "encoder.pt2": "PyTorch writes numbers of objects into it; export compares what it gives with what the run gives",
    "journal.jsonl": "what happened, in the order in which it happened; the result is in pictures.parquet",
}


def content_of(folder: Path) -> dict[str, Any]:
    """Return what each file of a folder has, by its name."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in LEFT_OUT
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of the files that differ, or that only one has."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _content(path: Path) -> Any:
    """Return values without those that vary, or a hash of the file; of a damaged file a hash too."""
    try:
        return _values(path)
    except (ValueError, pl.exceptions.PolarsError):
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _values(path: Path) -> Any:
    if path.suffix == ".json":
        return _steady(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".jsonl":
        return [_steady(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".csv":
        return _rows(pl.read_csv(io.BytesIO(path.read_bytes())))
    if path.name == "pictures.parquet":
        return _rows(pl.read_parquet(path))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    return table.select(pl.exclude(*VARYING)).to_dicts()


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _steady(item)
            for key, item in value.items()
            if key not in VARYING and not key.endswith("manifest.json")  # its hash
        }
    return [_steady(item) for item in value] if isinstance(value, list) else value
