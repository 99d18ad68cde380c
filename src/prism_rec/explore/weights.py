"""The page of everybody's gate weights."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from prism_rec.explain.gate_weights import BINS, GateWeights
from prism_rec.explore.look import Look
from prism_rec.explore.page import document
from prism_rec.explore.question import Question
from prism_rec.markup import Content, element

HOW_TO_READ = (
    "A gate weighs the parts of items for each user; the weights of a user add up to one. A bar is the number of users "
    "with a weight in that twentieth of 0 to 1. The dark line is the mean; the dashed one is the history of the page "
    "before, if there is one. A weight is not a share of a score, because parts differ in size."
)
WIDTH, HEIGHT = 300, 70


def weights_page(looks: Sequence[Look], question: Question) -> Element:
    """Return the page: a histogram per part and run, with the mean and the weight of the history of the question."""
    sections = [element("section", *_of_run(look, question)) for look in looks]
    columns = element("div", *sections, class_=f"columns of-{len(looks)}")
    how = [element("p", HOW_TO_READ)] if any(look.weights for look in looks) else []
    return document("Everybody's weights", question, *how, columns)


def _of_run(look: Look, question: Question) -> list[Content]:
    found = look.weights
    title = element("h2", look.name)
    if found is None:
        return [title, element("p", "This run has no gate that depends on the user: every weight is 1.")]
    own = look.own_weights(question)
    figures = (_histogram(found, place, own.get(name)) for place, name in enumerate(found.components))
    return [title, element("div", *figures, class_="figures")]


def _histogram(found: GateWeights, place: int, own: float | None) -> Element:
    counts, mean, name = found.histogram[place], found.mean[place], found.components[place]
    most, step = max(counts) or 1, WIDTH / BINS
    bars = [
        element(
            "rect", x=bin * step, y=HEIGHT * (1 - count / most), width=step - 1, height=HEIGHT * count / most
        )
        for bin, count in enumerate(counts)
    ]
    marks = [_line(mean, "mean")] + ([] if own is None else [_line(own, "own")])
    low, *_, high = found.quantiles[place]
    said = f"mean {mean:.2f}, nine in ten users from {low:.2f} to {high:.2f}"
    said += "" if own is None else f"; this history {own:.2f}"
    drawing = element(
        "svg", *bars, *marks, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"{name}: {said}"
    )
    scale = element(
        "span", element("span", "0"), element("span", "weight"), element("span", "1"), class_="scale"
    )
    return element("figure", element("figcaption", element("b", name), f" {said}"), drawing, scale)


def _line(weight: float, kind: str) -> Element:
    return element("line", x1=WIDTH * weight, x2=WIDTH * weight, y1=0, y2=HEIGHT, class_=kind)
