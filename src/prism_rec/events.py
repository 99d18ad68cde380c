"""How a stage reports its progress: the one protocol of the library.

A stage calls `begin`, `advance` and `note` on the `Events` that it is given. `Events` itself ignores everything, so a
library call is silent by default. The command line shows bars (`cli/bars.py`).

A task is named by a text. Tasks may run at the same time, for instance the epochs of several models.
"""

import json
from collections.abc import Mapping
from typing import TextIO

from prism_rec.masking import mask

Fact = str | int | float | bool | None


class Events:
    """Ignores everything; subclasses override the methods that they need."""

    def begin(self, task: str, total: int | None = None) -> None:
        """Hear that a task begins, or begins again.

        Args:
            task: its name.
            total: its number of steps; None if it is not known.
        """

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        """Hear that a task made progress.

        Args:
            task: a name that `begin` was called with.
            steps: how many steps were done since the last call.
            facts: what is known now, such as the loss; replaces earlier facts of the task.
        """

    def end(self, task: str) -> None:
        """Hear that nothing more comes from a task."""

    def note(self, line: str) -> None:
        """Hear one line that a person should read."""


class JsonLines(Events):
    """Writes every event as one JSON object per line.

    Args:
        stream: an open text stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def begin(self, task: str, total: int | None = None) -> None:
        """Write the beginning of a task."""
        self._write(event="begin", task=task, total=total)

    def advance(self, task: str, steps: int = 1, facts: Mapping[str, Fact] | None = None) -> None:
        """Write the steps and facts."""
        self._write(event="advance", task=task, steps=steps, **({"facts": dict(facts)} if facts else {}))

    def end(self, task: str) -> None:
        """Write the end of a task."""
        self._write(event="end", task=task)

    def note(self, line: str) -> None:
        """Write a note."""
        self._write(event="note", line=mask(line))

    def _write(self, **values: object) -> None:
        self.stream.write(json.dumps(values) + "\n")  # ASCII only, so that no control character is in it
        self.stream.flush()
