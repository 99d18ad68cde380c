"""HTML and SVG as trees: whatever is text is escaped, because nothing is ever pasted."""

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


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
