"""Commands in processes of their own, on a disk that fails; see `faults.c`."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COUNT, FULL, READ_ONLY, KILL, STOP = range(5)
"""What happens to the disk; the order is that of `faults.c`."""
SECONDS = 90.0
"""A command that takes longer hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, negative for a signal, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def is_one_line(self) -> bool:
        """Whether the command failed and said so in one line, the last one."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return self.status == 2 and errors == self.err.splitlines()[-1:] and "Traceback" not in self.err


class Disk:
    """A disk below one folder, and the processes that use it.

    Args:
        folder: the folder.
        mode: `COUNT`, `FULL`, `READ_ONLY`, `KILL` or `STOP`.
        at: the change at which it happens, from 0.
    """

    def __init__(self, folder: Path, mode: int = COUNT, at: int = 0) -> None:
        self.folder = folder
        self._file = folder.with_name(f"{folder.name}.disk")
        self._read = folder.with_name(f"{folder.name}.read")
        self._read.unlink(missing_ok=True)
        self._file.write_bytes(struct.pack("qqqq", mode, at, 0, 0))

    @property
    def changes(self) -> int:
        """Number of changes so far."""
        return int(struct.unpack("qqqq", self._file.read_bytes())[2])

    @property
    def is_hit(self) -> bool:
        """Whether it has happened."""
        return bool(struct.unpack("qqqq", self._file.read_bytes())[3])

    @property
    def read(self) -> set[Path]:
        """The files that were opened, and not only to be written."""
        return set(map(Path, self._read.read_text().splitlines())) if self._read.exists() else set()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be on this disk."""
        return {
            "FAULTS": str(self._file),
            "FAULTS_FOLDER": str(self.folder),
            "FAULTS_READ": str(self._read),
        }


class Forge:
    """Runs commands.

    Args:
        folder: for the library that makes disks fail; without a compiler there is none.
    """

    def __init__(self, folder: Path) -> None:
        library = folder / "faults.so"
        compiler = shutil.which("cc") if sys.platform == "linux" else None
        if compiler:
            subprocess.run(
                [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "faults.c", "-ldl"], check=True
            )
        self.has_disks = bool(compiler)
        preload = {"LD_PRELOAD": str(library)} if compiler else {}
        self._process = subprocess.Popen(
            [sys.executable, HERE / "forge.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", **preload},
        )

    def close(self) -> None:
        """End the process that makes the others."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(
        self, folder: Path, *words: str, disk: Disk | None = None, tag: str = "", **environment: str
    ) -> "Running":
        """Begin a command in a folder."""
        further = disk.environment if disk else {}
        tags = {"OUT": f"{tag}.out", "ERR": f"{tag}.err"}
        order = {"run": words, "folder": str(folder), "environment": {**further, **environment, **tags}}
        return Running(self, self._ask(**order)["process"], folder, tag)

    def run(self, folder: Path, *words: str, disk: Disk | None = None, **environment: str) -> Ended:
        """Run a command in a folder to its end."""
        return self.start(folder, *words, disk=disk, **environment).wait()

    def wait(self, process: int, seconds: float) -> int | None:
        """Return how a process ended; None if it still runs."""
        return self._ask(wait=process, seconds=seconds)["status"]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Running:
    """A command at work, the first process of its group."""

    forge: Forge
    process: int
    folder: Path
    tag: str

    def signal(self, number: int, group: bool = True) -> None:
        """Send a signal to all its processes, or to the first one."""
        (os.killpg if group else os.kill)(self.process, number)

    def ended(self, seconds: float = 0.0) -> Ended | None:
        """Return how it ended; None if it still runs after so many seconds."""
        status = self.forge.wait(self.process, seconds)
        if status is None:
            return None
        texts = (
            self.folder.with_name(f"{self.folder.name}{self.tag}.{end}").read_text(errors="replace")
            for end in ("out", "err")
        )
        return Ended(status, *texts)

    def wait(self) -> Ended:
        """Return how it ended; a command that hangs is ended, and that is an error."""
        found = self.ended(SECONDS)
        if found is None:
            self.signal(signal.SIGKILL)
            self.forge.wait(self.process, SECONDS)
            raise AssertionError(f"a command in {self.folder} hangs")
        return found

    def wait_until_stopped(self, disk: Disk) -> None:
        """Wait until the disk has stopped it, or it has ended."""
        end = time.monotonic() + SECONDS
        while not disk.is_hit and time.monotonic() < end:
            time.sleep(0.005)
            if not Path(f"/proc/{self.process}").exists() or _is_zombie(self.process):
                return


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
