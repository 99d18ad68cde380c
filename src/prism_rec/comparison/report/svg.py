"""A matplotlib figure as a part of the page: its texts stay texts, and it has the colours of the page."""

import io
from warnings import catch_warnings, simplefilter
from xml.etree.ElementTree import Element, fromstring

from matplotlib.figure import Figure
from matplotlib.style import context

from prism_rec.comparison.report.charts import STYLE

PAGE_COLOURS = {"#1c1f24": "var(--ink)", "#5d6570": "var(--soft)", "#d9dde3": "var(--rule)"}
"""Colours of the charts' style and their names in style.css, which changes them for dark screens."""


def draw(figure: Figure, title: str) -> Element:
    """Return a figure as an element `svg`; screen readers read the title."""
    file = io.StringIO()
    with context(STYLE), catch_warnings():
        simplefilter("ignore", UserWarning)  # about letters that its font lacks; the page's font has them
        figure.savefig(file, format="svg", transparent=True)
    text = file.getvalue()
    for colour, name in PAGE_COLOURS.items():
        text = text.replace(colour, name)
    svg = fromstring(text)
    shared = {
        definition for definitions in svg.iter() if _is(definitions, "defs") for definition in definitions
    }
    for parent in list(svg.iter()):
        for child in list(parent):
            if _is(child, "metadata") or _is(child, "style"):
                parent.remove(child)
    for part in svg.iter():
        part.tag = _local(part.tag)
        part.attrib = {_local(name): value for name, value in part.attrib.items()}
        if part not in shared:  # only ids that something refers to are needed
            part.attrib.pop("id", None)
    svg.attrib = {"viewBox": svg.attrib["viewBox"], "role": "img", "aria-label": title}
    return svg


def _is(part: Element, name: str) -> bool:
    return _local(part.tag) == name


def _local(name: str) -> str:
    return name.rpartition("}")[2]
