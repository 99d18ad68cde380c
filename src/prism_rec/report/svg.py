"""A matplotlib figure as a part of the page: its texts stay texts, its colours are the page's."""

import io
from warnings import catch_warnings, simplefilter
from xml.etree.ElementTree import Element, fromstring

from matplotlib.figure import Figure
from matplotlib.style import context

from prism_rec.report.charts import STYLE

PAGE_COLOURS = {"#1c1f24": "var(--ink)", "#5d6570": "var(--soft)", "#d9dde3": "var(--rule)"}
"""Of the charts' style, by what style.css calls them: it has others for dark screens."""


def draw(figure: Figure, title: str) -> Element:
    """Return a figure as an element `svg`; the title is read out to whoever can't see it."""
    file = io.StringIO()
    with context(STYLE), catch_warnings():
        simplefilter("ignore", UserWarning)  # of letters that its font lacks; the page's will have them
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
        if part not in shared:  # of all ids, those that are pointed at are needed
            part.attrib.pop("id", None)
    svg.attrib = {"viewBox": svg.attrib["viewBox"], "role": "img", "aria-label": title}
    return svg


def _is(part: Element, name: str) -> bool:
    return _local(part.tag) == name


def _local(name: str) -> str:
    return name.rpartition("}")[2]
