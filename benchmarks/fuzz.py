"""Calls, command lines and files that are wrong in one place: no traceback, no raw error, none over 5 s or 1 GB.

    python benchmarks/fuzz.py [--calls 700] [--lines 400] [--seed 0] [--all] [--json]

Every case has one odd value: an argument, a word, a column, or the bytes of a file. It works or ends with one line.
The status is 1 if a case does not. The cases are made in tests/fuzz, where a smaller sample is one of the tests.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT / "src"), str(ROOT / "tests")]  # this file has the name of the folder in tests

from fuzz import calls, files, lines  # noqa: E402
from fuzz.world import faults_of, make_world, sample  # noqa: E402


def main() -> None:
    """Run the cases and print how many of each kind were run, and which ended badly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=700, help="number of Python calls")
    parser.add_argument("--lines", type=int, default=400, help="number of command lines")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds choose equal cases")
    parser.add_argument("--all", action="store_true", help="all calls and command lines that there are")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        make_world(world)
        os.chdir(world)  # an odd value may be the name of a folder to write
        given = {
            "calls": (calls.cases(world), options.calls),
            "lines": (lines.cases(world), options.lines),
            "files": (files.cases(world / "files"), None),
        }
        for kind, (cases, count) in given.items():
            chosen = cases if options.all or count is None else sample(cases, count, options.seed)
            start = time.perf_counter()
            faults = faults_of(chosen)
            seconds = round(time.perf_counter() - start, 1)
            report[kind] = {"cases": len(chosen), "faults": faults, "seconds": seconds}
        os.chdir(ROOT)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for kind, found in report.items():
            print(f"{kind}: {found['cases']} cases, {len(found['faults'])} faults, {found['seconds']} s")
            for name, fault in found["faults"].items():
                print(f"  {name} -> {fault}")
    sys.exit(any(found["faults"] for found in report.values()))


if __name__ == "__main__":
    main()
