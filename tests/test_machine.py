"""Errors of the machine become one line with a fix, whoever raises them."""

import errno
import os

import pytest

from prism_rec.errors import MachineError
from prism_rec.machine import explain, one_line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/a"),
            "out/a: no space is left there; make room",
        ),
        (OSError("27200 requested and 0 written"), "No space left on device: no space is left"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "no space is left there"),
        (ValueError('IoError(Os { code: 28, kind: StorageFull, message: "No space" })'), "no space is left"),
        (OSError(errno.EROFS, "Read-only file system", "out"), "out: it may not be read or written"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300), "the name is too long"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "file/x"), "a part of the path is a file"),
        (MemoryError(), "the memory is too small"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "the memory is too small"),
    ],
)
def test_one_line_with_a_fix(error: Exception, told: str) -> None:
    with pytest.raises(MachineError) as caught, one_line():
        raise error
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "remove" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_other_errors_stay_as_they_are() -> None:
    assert explain(ValueError("a mistake in the code")) is None
    for error in (KeyError("x"), BrokenPipeError(errno.EPIPE, "gone")):
        with pytest.raises(type(error)), one_line():
            raise error
