"""What a page asks, as it is in its address: so a page can be kept, sent and gone back to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

MOST = 200
"""Most items of a history; further ones of an address are ignored."""


@dataclass(frozen=True)
class Question:
    """What the page shows.

    Attributes:
        items: the history, oldest first.
        out: items of the history that are left out.
        off: modalities that are switched off.
        search: a part of a title.
        why: the recommended item that is explained.
        user: whose history it was at first.
    """

    items: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    search: str = ""
    why: str = ""
    user: str = ""

    @classmethod
    def read(cls, given: QueryParams) -> "Question":
        """Return the question of an address."""
        items = tuple(dict.fromkeys(given.getlist("item")))[:MOST]
        return cls(
            items=items,
            out=tuple(item for item in given.getlist("out") if item in items),
            off=tuple(dict.fromkeys(given.getlist("off"))),
            search=given.get("q", "").strip()[:100],
            why=given.get("why", ""),
            user=given.get("user", "").strip(),
        )

    @property
    def kept(self) -> list[str]:
        """The items of the history that count."""
        return [item for item in self.items if item not in self.out]

    @property
    def is_changed(self) -> bool:
        """Whether anything is left out or switched off."""
        return bool(self.out or self.off)

    def pairs(self) -> list[tuple[str, str]]:
        """Return names and values, as a form or an address has them."""
        lists: Mapping[str, tuple[str, ...]] = {"item": self.items, "out": self.out, "off": self.off}
        texts = [("q", self.search), ("why", self.why), ("user", self.user)]
        return [(name, one) for name, many in lists.items() for one in many] + [
            pair for pair in texts if pair[1]
        ]

    def address(self, path: str = "/", place: str = "") -> str:
        """Return the address of the page; `place` is the id of the part to show first."""
        query = urlencode(self.pairs())
        return f"{path}{'?' if query else ''}{query}{'#' if place else ''}{place}"

    def with_item(self, item: str) -> "Question":
        """Return the question with one more item at the end of the history."""
        return replace(self, items=(*self.items, item), why="")

    def without_item(self, item: str) -> "Question":
        """Return the question with a shorter history."""
        items = tuple(one for one in self.items if one != item)
        return replace(self, items=items, out=tuple(one for one in self.out if one != item), why="")

    def toggled(self, name: Literal["out", "off"], value: str) -> "Question":
        """Return the question with a value put into the list `out` or `off`, or taken from it."""
        values: tuple[str, ...] = getattr(self, name)
        changed = tuple(one for one in values if one != value) if value in values else (*values, value)
        return replace(self, out=changed) if name == "out" else replace(self, off=changed)
