"""Imports everything once, then runs `prism-rec` commands, each in a process of its own: a script that reads JSON lines.

    {"run": [words], "folder": F, "environment": {...}}   -> {"process": 123}
    {"wait": 123, "seconds": 60}                           -> {"status": 0}, or null if it still runs

Output and errors of a command go to the files `.out` and `.err` next to its folder. A process leads its group.
"""

import json
import os
import signal
import sys
import time
import traceback

import prism_rec.cli.describe
import prism_rec.comparison.compare
import prism_rec.recommend.recommender
import prism_rec.runs.evaluate
import prism_rec.stages.build
import prism_rec.stages.export_data
import prism_rec.stages.images
import prism_rec.tuning.tune  # noqa: F401 - so that a command begins at once
from prism_rec.cli.app import main


def start(order: dict[str, object]) -> int:
    """Run a command in a new process, and return its number."""
    process = os.fork()
    if process:
        return process
    status = 70
    try:
        os.setsid()
        folder, environment = str(order["folder"]), dict(order["environment"])
        os.environ.update(environment)
        os.chdir(folder)
        for number, ending in ((1, environment.pop("OUT", ".out")), (2, environment.pop("ERR", ".err"))):
            file = os.open(folder + ending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["prism-rec", *map(str, order["run"])]
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait(process: int, seconds: float) -> int | None:
    """Return how a process ended, negative for a signal; None if it still runs after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(0.005)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        answer = (
            {"process": start(order)}
            if "run" in order
            else {"status": wait(order["wait"], order["seconds"])}
        )
        print(json.dumps(answer), flush=True)
