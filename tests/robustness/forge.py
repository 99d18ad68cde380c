"""A script that imports everything once, then runs `prism-rec` commands, each in a process of its own, as lines ask.

    {"run": [words], "folder": F, "environment": {...}}   -> {"process": 123}
    {"wait": 123, "seconds": 60}                           -> {"status": 0}, or null if it still runs

Output and errors of a command go to the files `.out` and `.err` next to its folder. A process leads its group.
Everything that commands import is imported here, so that a test waits for the work of a command, not for its imports.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver, util

import prism_rec
from prism_rec.cli.app import main

LIBRARIES = (
    *(
        "torch._dynamo",
        "torch._functorch.aot_autograd",
        "torch.export._trace",
        "torch.export.pt2_archive._package",
    ),
    *("optuna", "optuna.storages", "sqlalchemy.dialects.sqlite", "alembic.command"),
)
"""What the commands import of other libraries in the middle of their work."""
OPTIONAL = ("prism_rec.features.encoders.hugging_face", "prism_rec.features.engines.ray")
"""Modules whose libraries take long to import, and that no command of the shop needs."""

ENDED: dict[int, int] = {}
"""How processes ended, which the system says once."""


def import_all() -> None:
    """Import this package and the libraries that it imports when they are needed."""
    for module in pkgutil.walk_packages(prism_rec.__path__, "prism_rec."):
        if not module.name.startswith(OPTIONAL) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)


def fork(path: str, words: Sequence[str], kept: Sequence[int]) -> int:
    """Do what `multiprocessing` does to start a Python process with some code, as a copy of this process."""
    process = os.fork()
    if process:
        return process
    for file in map(int, os.listdir("/dev/fd")):
        if file > 2 and file not in kept:
            with suppress(OSError):  # that of the list itself
                os.close(file)
    status = 1
    try:
        exec(words[-1], {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        os._exit(status)


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
        if "compare" in sys.argv:  # its server of processes, before this process has threads
            util.spawnv_passfds = fork
            forkserver.set_forkserver_preload(["prism_rec.comparison.cell"])
            forkserver.ensure_running()
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
    while process not in ENDED:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            ENDED[process] = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > end:
            return None
        time.sleep(0.005)
    return ENDED[process]


if __name__ == "__main__":
    import_all()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        answer = (
            {"process": start(order)} if "run" in order else {"status": wait(order["wait"], order["seconds"])}
        )
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
