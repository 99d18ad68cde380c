"""HTML and SVG as trees, so that every text is escaped; and tables in Markdown."""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, tostring

Content = Element | str


def element(name: str, /, *children: Content, **attributes: object) -> Element:
    """Return an element of HTML or SVG.

    Args:
        name: of the tag.
        children: elements and texts, in order.
        attributes: `class_` is written `class`, `stroke_width` is `stroke-width`; floats get two decimals.
    """
    made = Element(
        name, {key.rstrip("_").replace("_", "-"): _text(value) for key, value in attributes.items()}
    )
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def render(page: Element) -> str:
    """Return a whole document as text."""
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; the cells are Markdown themselves."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def markdown_text(text: str) -> str:
    """Return Markdown that shows a text unchanged, on one line."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in " ".join(text.split()))


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
