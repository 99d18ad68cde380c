"""One line for what the machine cannot do: a full disk, a path that may not be written, too little memory."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from prism_rec.errors import InputError, MachineError

AGAIN = "run the same command again: finished work is kept"
MEMORY = f"the memory is too small; close other programs or lower `train.batch_size` or `model.width`, then {AGAIN}"

_FULL = f"no space is left there; make room, or name a folder on another disk, then {AGAIN}"
_DENIED = "it may not be read or written; change its permissions, or name another place"
_NO_LOCKS = "the file system has no locks; name a folder on another disk"
_FIXES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _DENIED),
    **dict.fromkeys((errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP), _NO_LOCKS),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "too many files are open; raise the limit with ulimit -n"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "a part of the path is a file; name another path"),
    errno.ENAMETOOLONG: "the name is too long; use a shorter one",
    errno.ENOENT: "no such file or folder; check the path",
    errno.EISDIR: "it is a folder; name a file",
    errno.ELOOP: "its links lead in a circle; name another path",
    errno.ENOMEM: MEMORY,
}
_LONGEST_PATH = 200

_NUMBER = re.compile(r"os error (\d+)|Os \{ code: (\d+)")
"""The number of the system's error in the text of a library that is not written in Python."""
_OUT_OF_MEMORY = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad alloc",
    "bad_alloc",
    "can't start new thread",
)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn errors of the machine into errors of one line; also a decorator.

    Raises:
        MachineError: the disk is full, a path may not be read or written, or memory is short.
    """
    try:
        yield
    except (InputError, BrokenPipeError):
        raise
    except Exception as error:
        if (why := explain(error)) is None:
            raise
        raise MachineError(why) from error


def explain(error: Exception) -> str | None:
    """Return a line with the fault of the machine and a fix; None if the error has another cause."""
    if is_out_of_memory(error):
        return MEMORY
    text = " ".join(str(error).split())
    found = _NUMBER.search(text)
    number = int(found[1] or found[2]) if found else getattr(error, "errno", None)
    if re.search(r"\d+ requested and \d+ written", text) or "disk is full" in text:  # numpy, SQLite
        number = errno.ENOSPC
    if number is None:
        return (f"{text}; fix that, then {AGAIN}") if isinstance(error, OSError) else None
    path = str(getattr(error, "filename", None) or "")
    shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."
    fix = _FIXES.get(number, f"{os.strerror(number)}; fix that, then {AGAIN}")
    return f"{shown}: {fix}" if shown else f"{os.strerror(number)}: {fix}"


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory is short; on the CPU only PyTorch's message says so."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
