"""Calls, command lines and files that are wrong in one place: no traceback, no raw error, none over 5 s or 1 GB.

    python benchmarks/fuzz.py [--only KIND] [--dumps 400] [--calls 700] [--lines 400] [--seed 0] [--all] [--json]

Every case has one odd value: an argument, a word, a column, the bytes of a file, or a whole number of the settings of
a training. It works or ends with one line. Files are read in a process of their own each, so that time and memory are
those of one file; so is a training. The status is 1 if a case does not end well. The cases are made in tests/fuzz,
where a smaller sample is one of the tests.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT / "src"), str(ROOT / "tests")]  # this file has the name of the folder in tests

from fuzz import calls, dumps, large_numbers, lines, vector_files, yaml_files  # noqa: E402
from fuzz.apart import ended  # noqa: E402
from fuzz.world import Case, faults_of, make_world, sample  # noqa: E402

KINDS = ("dumps", "vectors", "yaml", "numbers", "calls", "lines")


def main() -> None:
    """Run the cases and print how many of each kind were run, and which ended badly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind; by default all")
    parser.add_argument("--dumps", type=int, default=400, help="number of raw logs")
    parser.add_argument("--calls", type=int, default=700, help="number of Python calls")
    parser.add_argument("--lines", type=int, default=400, help="number of command lines")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds choose equal cases")
    parser.add_argument(
        "--all", action="store_true", help="all dumps, calls and command lines that there are"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    report = {}
    for kind in options.only or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            report[kind] = _run(kind, Path(folder), options)
        if not options.json:
            _show(kind, report[kind])
    if options.json:
        print(json.dumps(report, indent=2))
    sys.exit(any(found["faults"] for found in report.values()))


def _run(kind: str, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Make the cases of a kind in an empty folder and run them."""
    make: dict[str, Callable[[Path], list[Case]]] = {
        "vectors": vector_files.cases,
        "yaml": yaml_files.cases,
        "calls": calls.cases,
        "lines": lines.cases,
        "numbers": large_numbers.cases,
    }
    count = None if options.all else getattr(options, kind, None)
    if kind in ("calls", "lines", "numbers"):
        make_world(folder)
    if kind == "dumps":
        made = dumps.dumps()
        cases = dumps.cases(folder, made if count is None else sample(made, count, options.seed))
    else:
        cases = make[kind](folder)
        cases = cases if count is None else sample(cases, count, options.seed)
    os.chdir(folder)  # an odd value may be the name of a folder to write
    start = time.perf_counter()
    found = {"cases": len(cases)} | (
        {"faults": faults_of(cases)} if kind in ("calls", "lines") else _apart(cases)
    )
    os.chdir(ROOT)
    return found | {"seconds": round(time.perf_counter() - start, 1)}


def _apart(cases: list[Case]) -> dict[str, object]:
    """Run each case in its own process."""
    results = {}
    for case in cases:
        results[case.name] = ended(case)
        if results[case.name].fault:
            print(f"{case.name} -> {results[case.name].fault}", file=sys.stderr, flush=True)
    slowest, largest = (max(results, key=lambda name: results[name][place]) for place in (1, 2))
    return {
        "faults": {name: result.fault for name, result in results.items() if result.fault},
        "slowest": f"{slowest}: {results[slowest].seconds:.1f} s",
        "largest": f"{largest}: {results[largest].bytes / 2**20:.0f} MB",
    }


def _show(kind: str, found: dict[str, object]) -> None:
    most = "".join(f", {key} {found[key]}" for key in ("slowest", "largest") if key in found)
    print(f"{kind}: {found['cases']} cases, {len(found['faults'])} faults, {found['seconds']} s{most}")
    for name, fault in found["faults"].items():
        print(f"  {name} -> {fault}", flush=True)


if __name__ == "__main__":
    main()
