"""One case in a process of its own, which is ended if it hangs, with the time and memory that it took."""

import multiprocessing
import os
import resource
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from fuzz.world import BYTES, HANGS, SECONDS, Case, fault_of

_LIMIT = 4 * BYTES
"""Bytes of memory that a case is given at all, so that no bomb takes the machine's."""
_PRELOADED = ["fuzz.dumps", "fuzz.vector_files", "fuzz.yaml_files", "fuzz.large_numbers"]


class Ended(NamedTuple):
    """How a case ended."""

    fault: str | None
    """What is wrong with it, if anything."""
    seconds: float
    """Time of the processor."""
    bytes: int
    """The most memory at any time, less what the process began with."""


def ended(case: Case) -> Ended:
    """Run a case in a fresh process, forked from one that has the libraries loaded and no threads."""
    tests = Path(__file__).resolve().parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (tests.parent / "src", tests)))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(case, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(HANGS):
            return Ended(f"hangs for {HANGS:.0f} s", HANGS, 0)
        found: Ended = receiver.recv()
        return found
    except EOFError:
        process.join()
        return Ended(f"the process ended with {process.exitcode}", 0, 0)
    finally:
        process.kill()
        process.join()


def _run(case: Case, sender: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_LIMIT, _LIMIT))
    before = resource.getrusage(resource.RUSAGE_SELF)
    fault = fault_of(case)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    grown = (after.ru_maxrss - before.ru_maxrss) * 1024
    if fault is None and (seconds > SECONDS or grown > BYTES):
        fault = f"{seconds:.1f} s, {grown / 2**20:.0f} MB"
    sender.send(Ended(fault, seconds, grown))
