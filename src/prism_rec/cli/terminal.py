"""What reaches a terminal: data never moves the cursor, sets the title or changes colours.

Titles, ids, reasons of servers and names of files come from outside. A control character in them is a command to the
terminal, so that every line of every command goes through this file.
"""

import json
import re
import sys
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from prism_rec.masking import mask

# C0 but tab and line feed, DEL, C1; line and paragraph separators; characters that turn the direction of a line.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text without control characters, halves of characters and credentials; line feeds and tabs stay."""
    return _CONTROLS.sub("", mask(text))


class SafeConsole(Console):
    """A console of rich on which only rich itself writes control characters; texts have no markup and no emoji codes.

    Args:
        stderr: write to the error stream.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, their texts without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def say(line: str, stream: IO[str] | None = None) -> None:
    """Print one line of a result.

    Args:
        line: may have anything in it.
        stream: another one than the output.
    """
    (stream or sys.stdout).write(f"{printable(line)}\n")


def print_json(result: Any) -> None:
    """Print a result as one JSON document; control characters in it are escaped, so that it loads unchanged."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    sys.stdout.write(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
