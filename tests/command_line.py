"""The command line, called in this process."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

from prism_rec.cli.app import main


class Ran(NamedTuple):
    status: int
    out: str
    err: str


def prism_rec(*words: object) -> Ran:
    """Run `prism-rec WORDS...`; an InputError gives status 2 and a line on the error stream."""
    out, err, status = StringIO(), StringIO(), 0
    with (
        patch.object(sys, "argv", ["prism-rec", *map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stopped:
            status = int(stopped.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())
